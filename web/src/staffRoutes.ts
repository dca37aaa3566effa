import type { RouteRecordRaw } from "vue-router";
import type { Act } from "./wire/staff";

declare module "vue-router" {
  interface RouteMeta {
    /** What a member of staff has to be allowed for this page; none: whoever is logged in. */
    act?: Act;
    /** What the page is called in the nav. */
    label?: string;
  }
}

/** The pages inside the frame of staff, in the order of the nav. */
export const staffRoutes: RouteRecordRaw[] = [
  {
    path: "board",
    name: "staff-board",
    component: () => import("./staff/pages/BoardPage.vue"),
    meta: { act: "oversee", label: "大盘" },
  },
  {
    path: "insights/:tab?",
    name: "staff-insights",
    component: () => import("./staff/pages/InsightsPage.vue"),
    props: true,
    meta: { act: "insights", label: "洞察" },
  },
  {
    path: "requests",
    name: "staff-requests",
    component: () => import("./staff/pages/RequestsPage.vue"),
    meta: { act: "handle", label: "申请" },
  },
  {
    path: "incidents/:incident?",
    name: "staff-incidents",
    component: () => import("./staff/incidents/IncidentsPage.vue"),
    props: true,
    meta: { act: "handle", label: "同类事件" },
  },
  {
    path: "drills/:drill?",
    name: "staff-drills",
    component: () => import("./staff/drill/DrillPage.vue"),
    props: true,
    meta: { act: "read", label: "练习" },
  },
  {
    path: "words",
    name: "staff-words",
    component: () => import("./staff/pages/WordsPage.vue"),
    meta: { act: "wording", label: "快捷回复与标签" },
  },
  {
    path: "accounts",
    name: "staff-accounts",
    component: () => import("./staff/pages/AccountsPage.vue"),
    meta: { act: "accounts", label: "账号" },
  },
  {
    path: "privacy/:conversation?",
    name: "staff-privacy",
    component: () => import("./staff/privacy/PrivacyPage.vue"),
    props: true,
    meta: { act: "privacy", label: "个人信息" },
  },
  {
    path: "audit",
    name: "staff-audit",
    component: () => import("./staff/pages/AuditPage.vue"),
    meta: { act: "audit", label: "审计" },
  },
  {
    path: "me",
    name: "staff-me",
    component: () => import("./staff/pages/OwnAccountPage.vue"),
    meta: { label: "我的账号" },
  },
  // Ids of conversations are long and random: none is one of the words above.
  {
    path: ":conversation?",
    name: "staff",
    component: () => import("./staff/CasesPage.vue"),
    props: true,
    meta: { act: "read", label: "会话" },
  },
];
