import { afterEach, describe, expect, it, vi } from "vitest";
import { createApp, h, nextTick, type App } from "vue";
import { createMemoryHistory, createRouter, RouterView } from "vue-router";
import IncidentsPage from "../src/staff/incidents/IncidentsPage.vue";
import {
  countWords,
  leftOut,
  memberWords,
  nameOf,
  offerWords,
  reachWords,
  sourceWords,
} from "../src/staff/incidents/standing";
import type { Incident, IncidentMember, IncidentMessage } from "../src/wire/incidents";

const ROW: Incident = {
  id: "i1",
  business: "wutong",
  business_name: "梧桐里物业",
  failure: "lift_broken",
  failure_name: "电梯",
  title: "3栋：电梯出了故障",
  place: "3栋",
  source: "bot",
  state: "open",
  urgent: true,
  rule: "I-P-01",
  reason: "同一栋楼一天内有几户说电梯",
  opened_at: "2026-11-22T04:00:00Z",
  opened_by: "机器人",
  closed_at: null,
  closed_by: null,
  members: 3,
  proposed: 0,
  waiting: 0,
  unreachable: 0,
  remedies: null,
  members_list: [],
  messages: [],
  quiet_until: null,
  variables: ["称呼"],
  may: { oversee: true },
};
const MEMBER: IncidentMember = {
  id: 1,
  state: "told",
  customer: "林晚",
  order: "WT1",
  matter: "",
  case: "s1",
  conversation: "k1",
  private: true,
  owner: "bot",
  stage: "offered",
  offer: null,
  differs: [],
  why: null,
  told_at: "x",
  due_at: null,
  added_at: "x",
};
const MESSAGE: IncidentMessage = {
  id: "n1",
  kind: "words",
  text: "在修",
  reason: null,
  by: "孙主管",
  at: "x",
  told: [1],
  waiting: [],
  due: null,
  left_out: [],
};
const noon = (): string => "今天 12:00";

describe("an incident", () => {
  it("says who brought it up and how many it concerns", () => {
    expect(sourceWords(ROW)).toBe("机器人提议：同一栋楼一天内有几户说电梯");
    expect(sourceWords({ ...ROW, source: "order_system" })).toBe("订单系统报来的");
    expect(sourceWords({ ...ROW, source: "staff", opened_by: "小林" })).toBe("小林建的");
    expect(countWords(ROW)).toBe("3 位顾客");
    expect(countWords({ ...ROW, proposed: 1, waiting: 2, unreachable: 1 })).toBe(
      "3 位顾客，1 位待确认，2 位还没告诉，1 位联系不上",
    );
  });

  it("says how each customer stands", () => {
    expect(memberWords(MEMBER, noon)).toBe("今天 12:00 先告诉了顾客");
    expect(memberWords({ ...MEMBER, state: "waiting", due_at: "x" }, noon)).toBe("今天 12:00 告诉顾客");
    expect(memberWords({ ...MEMBER, state: "unreachable" }, noon)).toContain("联系不上");
    expect(offerWords(MEMBER)).toBe("");
    const items = [{ title: "代金券", detail: "" }, { title: "尽快修好", detail: "" }];
    expect(offerWords({ ...MEMBER, offer: { id: "o", state: "accepted", items } })).toBe(
      "代金券、尽快修好（顾客同意了）",
    );
    expect(nameOf({ ...MEMBER, customer: "" })).toBe("订单 WT1");
    expect(nameOf({ ...MEMBER, customer: "", order: "" })).toBe("不知道是谁");
  });

  it("says who got a text, and why the others did not", () => {
    expect(reachWords(MESSAGE, noon)).toBe("送到 1 位");
    expect(reachWords({ ...MESSAGE, told: [], waiting: [1, 2], due: "x" }, noon)).toBe(
      "送到 0 位，2 位等到 今天 12:00",
    );
    const left_out = [
      { member: 1, why: "还没有进私聊" },
      { member: 2, why: "还没有进私聊" },
      { member: 9, why: null },
    ];
    const members_list = [MEMBER, { ...MEMBER, id: 2, customer: "周砚" }];
    expect(leftOut({ ...MESSAGE, left_out }, { ...ROW, members_list })).toEqual([
      "林晚、周砚：还没有进私聊",
      "一位顾客：没有送到",
    ]);
  });
});

describe("the page of incidents", () => {
  const MEMBERS = [MEMBER, { ...MEMBER, id: 2, customer: "", order: "", state: "unreachable" as const, why: "没有这位顾客" }];
  let asked: { method: string; path: string; body: unknown }[] = [];
  let app: App | undefined;

  async function opened(): Promise<HTMLElement> {
    asked = [];
    vi.stubGlobal("fetch", (path: string, init: { method: string; body?: string }) => {
      asked.push({ method: init.method, path, body: init.body ? JSON.parse(init.body) : null });
      const answer = path.includes("/preview")
        ? { examples: ["林晚您好，在修"], to: 1, of: 2, quiet_until: null, warnings: [] }
        : path.includes("/tell")
          ? { message: "n1", to: 2, due: "2026-11-22T04:00:00Z", waits: false }
          : path.endsWith("/incidents/i1")
            ? { ...ROW, members: 2, members_list: MEMBERS, messages: [MESSAGE] }
            : { incidents: [ROW] };
      return Promise.resolve(new Response(JSON.stringify(answer)));
    });
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [
        { path: "/incidents/:incident?", name: "staff-incidents", component: IncidentsPage, props: true },
        { path: "/:conversation?", name: "staff", component: { render: () => null } },
      ],
    });
    await router.push("/incidents/i1");
    const root = document.createElement("div");
    document.body.append(root);
    app = createApp({ render: () => h(RouterView) });
    app.use(router).mount(root);
    await vi.waitFor(() => expect(root.querySelectorAll("[data-testid=incident-member]")).toHaveLength(2));
    return root;
  }

  afterEach(() => {
    app?.unmount();
    vi.unstubAllGlobals();
    document.body.replaceChildren();
  });

  it("shows one of them, and sends a text only after it was looked at", async () => {
    const root = await opened();
    expect(root.textContent).toContain("3栋：电梯出了故障");
    expect(root.textContent).toContain("没有这位顾客");
    root.querySelector<HTMLButtonElement>("[data-testid=incident-tell]")?.click();
    const field = await vi.waitFor(() => {
      const found = document.querySelector<HTMLTextAreaElement>("[data-testid=tell-text]");
      expect(found).not.toBeNull();
      return found!;
    });
    field.value = "{称呼}您好，在修";
    field.dispatchEvent(new Event("input"));
    await nextTick();
    const form = document.querySelector<HTMLFormElement>("[data-testid=tell-dialog]")!;
    form.dispatchEvent(new Event("submit"));
    await vi.waitFor(() => expect(document.body.textContent).toContain("林晚您好，在修"));
    expect(asked.some((one) => one.path.endsWith("/tell"))).toBe(false);
    form.dispatchEvent(new Event("submit"));
    await vi.waitFor(() => expect(root.textContent).toContain("已交给服务台，一共 2 位。"));
    const [sent] = asked.filter((one) => one.path.endsWith("/tell"));
    expect(sent?.body).toMatchObject({ text: "{称呼}您好，在修", urgent: false, seen: false });
  });
});
