import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, h, nextTick, reactive, ref, type App } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";
import ActionsBar from "../src/staff/conversation/ActionsBar.vue";
import HistoryLine from "../src/staff/conversation/HistoryLine.vue";
import StaffComposer from "../src/staff/conversation/StaffComposer.vue";
import HandCaseDialog from "../src/staff/dialogs/HandCaseDialog.vue";
import BasisBlock from "../src/staff/panel/BasisBlock.vue";
import { useSession } from "../src/staff/useSession";
import { ApiError } from "../src/wire/api";
import type { MessageEvent } from "../src/wire/contract";
import type { Detail, Member, StaffCase } from "../src/wire/staff";
import { caseApi } from "../src/wire/staffCase";
import { staffApi } from "../src/wire/staffApi";
import { AT, detail, row } from "./staffRows";

const ME: Member = {
  id: 1,
  login: "he",
  name: "小何",
  role: "agent",
  may: ["read", "handle"],
  business: "hotel",
  presence: "online",
  capacity: 5,
  totp: false,
  must_change: false,
};
const CASE: StaffCase = {
  id: "k1",
  stage: "person",
  matter: "",
  also: "",
  facts: {},
  order_number: null,
  anger: null,
  safety: false,
  reason: null,
  promised_by: null,
  outcome: null,
  offers: [],
  remedies: [],
  advice: null,
  no_advice: "no_order",
  may_offer: { authority: "agent", departure_fen: 0, words: "" },
};
const ITEMS = [
  { sku: "S-1", name: "棉被", quantity: 1, price_fen: 9_900 },
  { sku: "S-2", name: "枕头", quantity: 2, price_fen: 4_950 },
];
const ORDER: Detail["order"] = {
  number: "LT1001",
  product: "棉被等",
  paid_fen: 19_800,
  bought_on: null,
  received_on: null,
  status: "已签收",
  tier: "none",
  items: ITEMS,
};

const session = useSession();
let app: App | undefined;
let root: HTMLElement;

function show(render: () => ReturnType<typeof h>): void {
  app = createApp({ render });
  app.use(createRouter({ history: createMemoryHistory(), routes: [{ path: "/", component: {} }] }));
  app.mount(root);
}

async function settle(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await nextTick();
}

const find = (id: string): HTMLElement | null =>
  document.querySelector<HTMLElement>(`[data-testid=${id}]`);
async function press(id: string): Promise<void> {
  find(id)?.click();
  await settle();
}
async function fill(id: string, value: string): Promise<void> {
  const field = find(id) as HTMLInputElement;
  field.value = value;
  field.dispatchEvent(new Event(field.matches("select") ? "change" : "input", { bubbles: true }));
  await settle();
}

beforeEach(() => {
  window.localStorage.clear();
  root = document.createElement("div");
  document.body.append(root);
  session.me.value = ME;
  vi.spyOn(staffApi, "suggestions").mockResolvedValue({ suggestions: [] });
});

afterEach(() => {
  app?.unmount();
  app = undefined;
  document.body.replaceChildren();
  session.me.value = null;
  vi.restoreAllMocks();
});

describe("a customer who has no page", () => {
  const phone = row({ owner: "staff:1", channel: "phone" });

  it("is never written to: what was said is written down, whoever said it", async () => {
    const answered: string[] = [];
    const heard = vi.spyOn(staffApi, "heard").mockResolvedValue({});
    show(() =>
      h(StaffComposer, {
        detail: detail({ conversation: phone }),
        me: ME,
        mine: true,
        blocked: "",
        trouble: "",
        onAnswer: (text: string) => answered.push(text),
      }),
    );
    expect(root.textContent).toContain("顾客看不到这里");
    expect(find("send")?.textContent?.trim()).toBe("记下");
    expect(find("mode-answer")?.textContent?.trim()).toBe("记下我说的话");
    expect(root.textContent).not.toContain("发给顾客");
    await fill("composer", "马上给您换房");
    await press("send");
    expect(answered).toEqual(["马上给您换房"]);
    await press("mode-heard");
    await fill("composer", "那我等着");
    await press("send");
    expect(heard.mock.calls.map((one) => [one[0], one[2]])).toEqual([["c1", "那我等着"]]);
  });

  it("is written to as before where there is a page", () => {
    show(() =>
      h(StaffComposer, {
        detail: detail({ conversation: row({ owner: "staff:1" }) }),
        me: ME,
        mine: true,
        blocked: "",
        trouble: "",
      }),
    );
    expect(find("mode-heard")).toBeNull();
    expect(find("mode-answer")?.textContent?.trim()).toBe("回复顾客");
    expect(root.textContent).toContain("发给顾客");
  });

  it("cannot be given to the bot", () => {
    const shown = reactive({ row: phone });
    show(() => h(ActionsBar, { row: shown.row, mine: true, busy: false }));
    expect(find("give-back")).toBeNull();
    expect(find("close")).not.toBeNull();
  });

  const said = (parts: Partial<MessageEvent>): MessageEvent => ({
    id: "m1",
    kind: "message",
    at: AT,
    author: "customer",
    name: "周先生",
    mine: false,
    text: "太吵了",
    ...parts,
  });
  it.each([
    [said({ via: "phone", by: "李娜" }), "phone", "电话里说，由李娜记下"],
    [said({ via: "street" }), "street", "当面说，由同事记下"],
    [said({ author: "staff", name: "李娜" }), "phone", "在电话里对顾客说的"],
    [said({}), "web", null],
    [said({ author: "staff", name: "李娜" }), "web", null],
  ])("says in the line how the words came (%#)", (event, channel, words) => {
    show(() =>
      h(HistoryLine, {
        line: { key: "event:m1", at: AT, place: "private", event },
        now: new Date(AT),
        conversation: "c1",
        channel,
        masked: false,
        quoted: null,
        past: false,
      }),
    );
    expect(find("said-elsewhere")?.textContent?.trim() ?? null).toBe(words);
  });
});

describe("what the advice rests on", () => {
  let done: number;
  let shown: { held: StaffCase; detail: Detail };

  function basis(held: Partial<StaffCase>, order: Detail["order"] = null): void {
    done = 0;
    shown = reactive({ held: { ...CASE, ...held }, detail: detail({ order }) });
    show(() => h(BasisBlock, { ...shown, onDone: () => (done += 1) }));
  }

  beforeEach(() => {
    vi.spyOn(caseApi, "failures").mockResolvedValue({
      failures: [
        { name: "noise", label: "太吵、没法休息" },
        { name: "broken", label: "东西坏了" },
      ],
    });
  });

  it("asks for the order where it is not proved, with what the customer has named", async () => {
    basis({ facts: { order_number: "LT1001" } });
    const prove = vi.spyOn(caseApi, "prove").mockResolvedValueOnce({ order: "not_matched" });
    expect((find("order-number") as HTMLInputElement).value).toBe("LT1001");
    await fill("order-last4", "12");
    await press("order-prove");
    expect(find("order-wrong")?.textContent).toContain("四位数字");
    expect(prove).not.toHaveBeenCalled();
    await fill("order-last4", "1234");
    await press("order-prove");
    expect(prove.mock.calls).toEqual([["c1", "LT1001", "1234"]]);
    expect(find("order-wrong")?.textContent).toContain("对不上");
    expect(done).toBe(0);
    prove.mockResolvedValueOnce({ order: "away" });
    await press("order-prove");
    expect(find("order-wrong")?.textContent).toContain("暂时没有回答");
    prove.mockRejectedValueOnce(new ApiError(429, "too_fast", "核对得太勤了，请过一会儿再试"));
    await press("order-prove");
    expect(find("order-wrong")?.textContent).toBe("核对得太勤了，请过一会儿再试");
    prove.mockResolvedValueOnce({ order: "proved" });
    await press("order-prove");
    expect(done).toBe(1);
    shown.held = { ...shown.held, no_advice: "no_matter", order_number: "LT1001" };
    await settle();
    expect(find("order-form")).toBeNull();
    expect(find("basis-told")?.textContent).toContain("订单核实好了");
    expect(document.activeElement).toBe(find("basis-told"));
  });

  it("asks what went wrong, and with which article, where the bot does not know", async () => {
    basis({ no_advice: "no_matter", facts: { failure: "unknown" } }, ORDER);
    await settle();
    const place = vi
      .spyOn(caseApi, "place")
      .mockResolvedValue({ advice: null, no_advice: "no_item" });
    await press("matter-place");
    expect(find("matter-wrong")?.textContent).toContain("请选");
    await fill("matter-failure", "broken");
    await press("matter-place");
    expect(place.mock.calls).toEqual([["c1", { failure: "broken" }]]);
    expect(find("basis-told")?.textContent).toContain("哪一件");
    shown.held = { ...shown.held, no_advice: "no_item", facts: { failure: "broken" } };
    await settle();
    expect((find("matter-failure") as HTMLSelectElement).value).toBe("broken");
    await fill("matter-item", "S-2");
    await press("matter-place");
    expect(place.mock.calls[1]).toEqual(["c1", { item: "S-2" }]);
    expect(done).toBe(2);
  });

  it("is left alone where there is advice, and changed on wish", async () => {
    basis({ no_advice: null, order_number: "LT1001", facts: { failure: "noise" } }, ORDER);
    expect(find("order-form")).toBeNull();
    expect(find("matter-form")).toBeNull();
    await press("matter-open");
    expect(document.activeElement).toBe(find("matter-failure"));
    await press("order-open");
    expect(find("matter-form")).toBeNull();
    expect((find("order-number") as HTMLInputElement).value).toBe("");
    vi.spyOn(caseApi, "prove").mockRejectedValue(
      new ApiError(409, "given", "这个案子已经按另一个订单办过补救"),
    );
    await fill("order-number", "LT2002");
    await fill("order-last4", "1234");
    await press("order-prove");
    expect(find("order-wrong")?.textContent).toBe("这个案子已经按另一个订单办过补救");
  });
});

describe("a case that was made by hand", () => {
  async function enter(order: "proved" | "not_matched" | "away" | null): Promise<string[]> {
    const told: string[] = [];
    vi.spyOn(caseApi, "failures").mockResolvedValue({ failures: [] });
    vi.spyOn(caseApi, "openByHand").mockResolvedValue({ conversation: "c9", order });
    const open = ref(true);
    show(() =>
      h(HandCaseDialog, {
        businesses: [{ id: "hotel", name: "岚庭酒店", industry: "hotel" }],
        open: open.value,
        "onUpdate:open": (now: boolean) => (open.value = now),
        onDone: (id: string) => told.push(id),
        onClose: () => told.push("closed"),
      }),
    );
    await settle();
    await fill("hand-name", "周先生");
    await fill("hand-text", "太吵了");
    document.querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
    await settle();
    return told;
  }

  it("is opened at once where nothing is left to be known", async () => {
    expect(await enter("proved")).toEqual(["c9"]);
  });

  it("is opened also by the cross, after its order was not proved", async () => {
    const told = await enter("not_matched");
    expect(told).toEqual([]);
    expect(find("hand-made")?.textContent).toContain("对不上");
    document.querySelector<HTMLElement>(".shut")?.click();
    await settle();
    await new Promise((resolve) => setTimeout(resolve, 0));
    await settle();
    expect(told).toEqual(["c9"]);
  });

  it("is none where the dialog is left before", async () => {
    const told: string[] = [];
    vi.spyOn(caseApi, "failures").mockResolvedValue({ failures: [] });
    const open = ref(true);
    show(() =>
      h(HandCaseDialog, {
        businesses: [],
        open: open.value,
        "onUpdate:open": (now: boolean) => (open.value = now),
        onDone: (id: string) => told.push(id),
        onClose: () => told.push("closed"),
      }),
    );
    await settle();
    open.value = false;
    await settle();
    expect(told).toEqual(["closed"]);
  });
});
