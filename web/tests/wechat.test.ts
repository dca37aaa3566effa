import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, h, nextTick, reactive, type App } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";
import WeChatWay from "../src/chat/WeChatWay.vue";
import LinkPage from "../src/pages/LinkPage.vue";
import HistoryLine from "../src/staff/conversation/HistoryLine.vue";
import HistoryLog from "../src/staff/conversation/HistoryLog.vue";
import CustomerBlock from "../src/staff/panel/CustomerBlock.vue";
import { heardWords } from "../src/staff/channels";
import { customerApi } from "../src/wire/api";
import type { MessageEvent } from "../src/wire/contract";
import { detail } from "./staffRows";

const NOW = new Date("2026-11-22T04:00:00Z");

interface Answer {
  status?: number;
  body: unknown;
}

let app: App | undefined;
let asked: string[];
let answers: Record<string, Answer>;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  answers = {};
  vi.stubGlobal("fetch", (path: string, init: { method: string }) => {
    asked.push(`${init.method} ${path}`);
    const { status = 200, body } = answers[`${init.method} ${path}`] ?? {
      status: 404,
      body: { error: { code: "not_found", message: "没有找到" } },
    };
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
});

afterEach(() => {
  app?.unmount();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function show(made: App): HTMLElement {
  const root = document.createElement("div");
  document.body.append(root);
  app = made;
  app.mount(root);
  return root;
}

const get = (id: string): HTMLElement | null =>
  document.querySelector<HTMLElement>(`[data-testid=${id}]`);
const pass = async (milliseconds = 0): Promise<void> => {
  await vi.advanceTimersByTimeAsync(milliseconds);
  await nextTick();
};

describe("the way into WeChat", () => {
  const CODE = { id: "s1", svg: "<svg/>", name: "兰庭服务号", expires: "2026-11-22T04:10:00Z" };
  const heard = reactive({ arrived: [] as string[], open: [] as string[], closed: 0 });

  function way(inside = false): void {
    heard.arrived = [];
    heard.open = [];
    heard.closed = 0;
    show(
      createApp({
        render: () =>
          h(WeChatWay, {
            account: "兰庭服务号",
            ask: () => customerApi.codeOfConversation("k1"),
            inside,
            onArrived: (one: string) => heard.arrived.push(one),
            onOpen: (one: string) => heard.open.push(one),
            onClosed: () => (heard.closed += 1),
          }),
      }),
    );
  }

  const state = (): string | undefined => get("wechat-dialog")?.dataset["state"];

  it("shows a code and says by itself when it was scanned", async () => {
    answers["POST /api/conversations/k1/wechat"] = { body: CODE };
    answers["GET /api/crossings/s1"] = { body: { state: "open", conversation: null } };
    way();
    expect(asked).toEqual([]);
    get("to-wechat")?.click();
    await pass();
    expect(state()).toBe("shown");
    expect(document.querySelector("img")?.getAttribute("alt")).toContain("用微信扫一扫");
    await pass(4_100);
    expect(state()).toBe("shown");
    answers["GET /api/crossings/s1"] = { body: { state: "used", conversation: "k1" } };
    await pass(2_000);
    expect(state()).toBe("used");
    expect(heard.arrived).toEqual(["k1"]);
    const before = asked.length;
    await pass(10_000);
    expect(asked).toHaveLength(before);
    get("wechat-stay")?.click();
    expect(heard.open).toEqual(["k1"]);
  });

  it("stays where it is when the page is the conversation itself", async () => {
    answers["POST /api/conversations/k1/wechat"] = { body: CODE };
    answers["GET /api/crossings/s1"] = { body: { state: "used", conversation: "k1" } };
    way(true);
    get("to-wechat")?.click();
    await pass(2_100);
    get("wechat-stay")?.click();
    await pass();
    expect(heard).toMatchObject({ open: [], closed: 1 });
  });

  it("offers another code for one that is too old", async () => {
    answers["POST /api/conversations/k1/wechat"] = { body: CODE };
    answers["GET /api/crossings/s1"] = { body: { state: "expired", conversation: null } };
    way();
    get("to-wechat")?.click();
    await pass(2_100);
    expect(state()).toBe("expired");
    expect(document.querySelector("img")).toBeNull();
    get("wechat-again")?.click();
    await pass();
    expect(state()).toBe("shown");
  });

  it("says in the desk's words why there is none, and tries again", async () => {
    const message = "微信那边暂时给不了二维码";
    answers["POST /api/conversations/k1/wechat"] = {
      status: 503,
      body: { error: { code: "wechat_away", message } },
    };
    way();
    get("to-wechat")?.click();
    await pass();
    expect(state()).toBe("failed");
    expect(get("wechat-dialog")?.textContent).toContain(message);
    answers["POST /api/conversations/k1/wechat"] = { body: CODE };
    get("wechat-again")?.click();
    await pass();
    expect(state()).toBe("shown");
  });

  it("goes on looking when one look fails, and stops when it is closed", async () => {
    answers["POST /api/conversations/k1/wechat"] = { body: CODE };
    answers["GET /api/crossings/s1"] = { status: 500, body: {} };
    way();
    get("to-wechat")?.click();
    await pass(4_100);
    expect(state()).toBe("shown");
    document.querySelector<HTMLElement>("[aria-label=关闭]")?.click();
    await pass();
    expect(state()).toBe("closed");
    const before = asked.length;
    await pass(10_000);
    expect(asked).toHaveLength(before);
  });
});

describe("the page of a link from WeChat", () => {
  async function page(): Promise<{ root: HTMLElement; at: () => string }> {
    const blank = { render: () => h("p") };
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [
        { path: "/", component: blank },
        { path: "/w/:secret", name: "link", component: LinkPage, props: true },
        { path: "/c/:conversation", name: "private", component: blank },
      ],
    });
    await router.push("/w/abc");
    const made = createApp({ render: () => h(LinkPage, { secret: "abc" }) });
    made.use(router);
    const root = show(made);
    await pass();
    return { root, at: () => router.currentRoute.value.fullPath };
  }

  it("opens nothing before the button is pressed", async () => {
    answers["GET /api/wechat-links/abc"] = { body: { business: "兰庭酒店", conversation: null } };
    answers["POST /api/wechat-links/abc"] = { body: { conversation: "k1" } };
    const { root, at } = await page();
    expect(asked).toEqual(["GET /api/wechat-links/abc"]);
    expect(root.textContent).toContain("兰庭酒店");
    get("open-link")?.click();
    await pass();
    expect(at()).toBe("/c/k1");
  });

  it("says where the link came from when it was not WeChat", async () => {
    answers["GET /api/wechat-links/abc"] = {
      body: { business: "兰庭酒店", conversation: null, source: "兰庭微博" },
    };
    const { root } = await page();
    expect(root.textContent).toContain("在兰庭微博发给您的链接");
    expect(root.textContent).not.toContain("微信");
  });

  it("goes straight on where it was opened before", async () => {
    answers["GET /api/wechat-links/abc"] = { body: { business: "兰庭酒店", conversation: "k1" } };
    const { at } = await page();
    expect(at()).toBe("/c/k1");
    expect(asked).toHaveLength(1);
  });

  it("says how to get another one when it does not open any more", async () => {
    const { root } = await page();
    expect(root.textContent).toContain("这个链接打不开了");
    expect(root.textContent).toContain("再发一次“网页”");
  });

  it("says so when it was used up while it was looked at", async () => {
    answers["GET /api/wechat-links/abc"] = { body: { business: "兰庭酒店", conversation: null } };
    const { root } = await page();
    get("open-link")?.click();
    await pass();
    expect(root.textContent).toContain("这个链接打不开了");
  });
});

describe("what staff see of WeChat", () => {
  const quota = { left: 3, until: "2026-11-24T04:00:00Z", held: 0, unsure: 0, words: "还能发3条" };
  const said = (id: string, text: string): MessageEvent => ({
    id,
    at: NOW.toISOString(),
    kind: "message",
    author: "staff",
    name: "小林",
    mine: false,
    text,
  });

  it("how much may still be sent", () => {
    const props = { detail: detail({ quota }), now: NOW.getTime() };
    show(createApp({ render: () => h(CustomerBlock, props) }));
    expect(get("quota")?.textContent).toContain("还能发3条");
  });

  it("nothing of it on other channels", () => {
    show(createApp({ render: () => h(CustomerBlock, { detail: detail(), now: NOW.getTime() }) }));
    expect(get("quota")).toBeNull();
  });

  it("what has not arrived, line by line", () => {
    const whole = detail({
      private: [said("e1", "一"), said("e2", "二"), said("e3", "三"), said("e4", "四")],
      held: ["e2"],
      undelivered: ["e3"],
      unsure: ["e4"],
    });
    show(createApp({ render: () => h(HistoryLog, { detail: whole, now: NOW }) }));
    const marks = [...document.querySelectorAll<HTMLElement>("[data-testid=delivery]")];
    expect(marks.map((one) => one.dataset["state"])).toEqual(["held", "undelivered", "unsure"]);
    expect(marks[0]?.textContent).toContain("等顾客再写来时送");
  });

  it("that words were made of a voice", () => {
    expect(heardWords("voice", undefined)).toBe("语音转文字");
    const event: MessageEvent = { ...said("e1", "房间没打扫"), author: "customer", via: "voice" };
    const line = { key: "event:e1", at: event.at, place: "private" as const, event };
    const props = {
      line,
      now: NOW,
      conversation: "k1",
      channel: "wechat",
      masked: false,
      quoted: null,
      past: false,
    };
    show(createApp({ render: () => h(HistoryLine, props) }));
    expect(get("said-elsewhere")?.textContent?.trim()).toBe("语音转文字");
  });
});
