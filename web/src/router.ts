import { createRouter, createWebHistory } from "vue-router";
import { staffRoutes } from "./staffRoutes";

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", name: "start", component: () => import("./pages/StartPage.vue") },
    {
      path: "/r/:room",
      name: "room",
      component: () => import("./pages/RoomPage.vue"),
      props: true,
    },
    {
      path: "/p/:token",
      name: "invitation",
      component: () => import("./pages/InvitationPage.vue"),
      props: true,
    },
    {
      path: "/c/:conversation",
      name: "private",
      component: () => import("./pages/PrivatePage.vue"),
      props: true,
    },
    {
      path: "/w/:secret",
      name: "link",
      component: () => import("./pages/LinkPage.vue"),
      props: true,
    },
    {
      path: "/s/:token",
      name: "survey",
      component: () => import("./pages/SurveyPage.vue"),
      props: true,
    },
    { path: "/staff", component: () => import("./staff/StaffPage.vue"), children: staffRoutes },
    {
      path: "/:rest(.*)*",
      name: "nowhere",
      component: () => import("./pages/NowherePage.vue"),
    },
  ],
});
