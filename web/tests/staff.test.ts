import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, h, nextTick, reactive, type App } from "vue";
import CaseFacts from "../src/staff/CaseFacts.vue";
import * as words from "../src/staff/words";
import type { DeskCase, DeskConversation, Facts, PolicyAdvice } from "../src/wire/contract";

const NOW = new Date("2026-11-22T04:00:00Z");
const ADVICE: PolicyAdvice = {
  authority: "manager",
  rules: ["shop-fake-confirmed", "law-fraud"],
  policy: "1.0-abc",
  day: "2026-11-22",
  reason: "商品查实是假货",
  items: [
    { title: "全额退款68元", detail: "原路退回", part: "floor", worth: 6_800 },
    { title: "法定赔偿500元", detail: "依法计算", part: "floor", worth: 50_000 },
    { title: "正式向您道歉", detail: "负责人署名", part: "goodwill", worth: null },
    { title: "送您1550积分", detail: "", part: "goodwill", worth: 1_550 },
  ],
  floor_fen: 56_800,
  goodwill_fen: 1_550,
  lacks_evidence: false,
  provisional: false,
  facts: { fault: "ours", finding: "alleged", harm: "slight" },
};

let app: App | undefined;
let saved: Facts[];
let succeeds: boolean;
let shown: { detail: DeskConversation; mine: boolean };

function mount(held: DeskCase | null, mine = true): HTMLElement {
  const detail: DeskConversation = {
    conversation: {
      id: "k1",
      business: "青禾小铺",
      industry: "shop",
      customer: "苏禾",
      matter: "您担心商品真伪这件事",
      anger: 1,
      peak: 2,
      priority: 1,
      stage: "person",
      visibility: "private",
      owner: "staff:1",
      owner_name: "小林",
      waiting_since: null,
      reason: "alleged",
      last: "",
      unread: 0,
    },
    case: held,
    public: [],
    private: [],
    seq: 1,
  };
  shown = reactive({ detail, mine });
  const root = document.createElement("div");
  document.body.append(root);
  app = createApp({
    render: () =>
      h(CaseFacts, {
        ...shown,
        now: NOW,
        save: async (facts: Facts) => {
          saved.push(facts);
          return succeeds;
        },
      }),
  });
  app.mount(root);
  return root;
}

beforeEach(() => {
  vi.useFakeTimers();
  saved = [];
  succeeds = true;
});

afterEach(() => {
  app?.unmount();
  app = undefined;
  document.body.replaceChildren();
  vi.useRealTimers();
});

const get = (root: ParentNode, id: string): HTMLElement | null =>
  root.querySelector<HTMLElement>(`[data-testid=${id}]`);
const select = (root: ParentNode, fact: string): HTMLSelectElement =>
  get(root, `fact-${fact}`) as HTMLSelectElement;

function choose(root: ParentNode, fact: string, value: string): void {
  const field = select(root, fact);
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

describe("words", () => {
  // As in recovery/commands.py, desk/conversations/commit.py and desk/conversations/fulfilment.py.
  const reasons =
    "safety asked escalation unknown refused beyond_authority not_understood proof_limit no_order " +
    "second_matter not_as_promised changed_mind late repeated alleged no_evidence budget error " +
    "offer_gone remedy_late remedy_refused remedy_failed";

  it.each(reasons.split(" "))("say the reason %s", (reason) => {
    expect(words.reasonWords(reason)).toMatch(/^[\u4e00-\u9fff，]+$/u);
  });

  it("say every value that staff can set", () => {
    const values = { fault: 4, finding: 3, harm: 4 };
    for (const [fact, count] of Object.entries(values)) {
      expect(words.factChoices(fact)).toHaveLength(count);
      for (const [, word] of words.factChoices(fact)) expect(word).not.toMatch(/[a-z]/u);
    }
    expect(words.factWords("harm", "injury")).toBe("伤到人");
    expect(words.factWords("evidence", "asked")).toBe("已请客户发来");
    expect(words.factWords("wish", "voucher")).toBe("代金券");
    expect(words.factWords("stays_public", true)).toBe("是");
  });

  it("write fen as yuan", () => {
    expect([0, 5, 1_500, 1_550, 137_605].map(words.yuan)).toEqual([
      "0元",
      "0.05元",
      "15元",
      "15.50元",
      "1376.05元",
    ]);
  });
});

describe("the facts of a case", () => {
  it("stand in words, and nothing raw", () => {
    const root = mount({
      also: "太吵、没法休息这件事",
      facts: {
        failure: "fake",
        also: "noise",
        evidence: "declined",
        wish: "refund",
        harm: "loss",
        advice: ADVICE as unknown as Record<string, unknown>,
      },
      advice: ADVICE,
      no_advice: null,
    });
    const text = root.textContent ?? "";
    for (const told of ["太吵、没法休息这件事", "客户说没有", "客户想要的形式", "退款", "有损失"]) {
      expect(text).toContain(told);
    }
    for (const raw of ["declined", "noise", "floor_fen", "{", "[object"]) expect(text).not.toContain(raw);
  });

  it("show what the policy would give, owed and goodwill apart, with sums, authority, rules", () => {
    const root = mount({ facts: {}, advice: ADVICE, no_advice: null });
    const block = get(root, "advice") as HTMLElement;
    expect(get(block, "authority")?.textContent?.trim()).toBe("要经理决定");
    const parts = [...block.querySelectorAll("[data-testid=part]")].map((one) => one.textContent);
    expect(parts).toHaveLength(2);
    expect(parts[0]).toContain("应给的");
    expect(parts[0]).toContain("合 568元");
    expect(parts[0]).toContain("法定赔偿500元");
    expect(parts[0]).toContain("500元");
    expect(parts[1]).toContain("另外的心意");
    expect(parts[1]).toContain("合 15.50元");
    expect(get(block, "rules")?.textContent).toContain("law-fraud");
    expect(block.textContent).toContain("商品查实是假货");
    expect(get(block, "no-advice")).toBeNull();
  });

  it("say why there is no advice, and show what the hand-over left", () => {
    const root = mount({
      facts: { advice: ADVICE as unknown as Record<string, unknown> },
      advice: null,
      no_advice: "orders_away",
    });
    expect(get(root, "no-advice")?.textContent).toContain("订单系统暂时没有回答");
    expect(get(root, "no-advice")?.textContent).toContain("转来时的建议");
    expect(get(root, "authority")).not.toBeNull();
    app?.unmount();
    const without = mount({ facts: {}, advice: null, no_advice: "no_order" });
    expect(get(without, "no-advice")?.textContent).toContain("订单还没有核实");
    expect(get(without, "authority")).toBeNull();
  });

  it("show the worth and the rules of what was given", () => {
    const root = mount({
      facts: {},
      offers: [
        {
          id: "o1",
          state: "replaced",
          items: ADVICE.items,
          reason: "房间没有打扫干净",
          rules: ["hotel-floor-1"],
          floor_fen: 56_800,
          goodwill_fen: 1_550,
          provisional: true,
        },
        { id: "o0", state: "accepted", items: [{ title: "换房", detail: "" }], reason: "", rules: [] },
      ],
    });
    const [first, second] = [...root.querySelectorAll("[data-testid=given-offer]")];
    expect(first?.textContent).toContain("合 568元");
    expect(first?.textContent).toContain("合 15.50元");
    expect(first?.textContent).toContain("hotel-floor-1");
    expect(first?.textContent).toContain("不是最后的处理");
    expect(second?.textContent).toContain("换房");
    expect(second?.textContent).not.toContain("合 ");
  });
});

describe("the form of facts", () => {
  it("shows what is set, and what the policy assumes where nothing is", () => {
    const root = mount({ facts: { fault: "third_party" }, advice: ADVICE, no_advice: null });
    expect(select(root, "fault").value).toBe("third_party");
    expect(select(root, "finding").selectedOptions[0]?.textContent).toContain("按“客户指称，未查实”算");
    for (const fact of ["fault", "finding", "harm"]) {
      expect(root.querySelector(`label[for="${select(root, fact).id}"]`)).not.toBeNull();
    }
  });

  it("saves what is chosen by itself, and says so", async () => {
    const root = mount({ facts: {} });
    choose(root, "fault", "ours");
    await nextTick();
    expect(get(root, "fact-state")?.textContent).toContain("正在记");
    await vi.advanceTimersByTimeAsync(600);
    expect(saved).toEqual([{ fault: "ours" }]);
    expect(get(root, "fact-state")?.textContent).toContain("已记下：责任「我们的责任」");
    expect(get(root, "fact-state")?.getAttribute("role")).toBe("status");
  });

  it("does not save what a keyboard only passes", async () => {
    const root = mount({ facts: {} });
    for (const value of ["none", "alleged", "confirmed"]) {
      choose(root, "finding", value);
      await vi.advanceTimersByTimeAsync(200);
    }
    await vi.advanceTimersByTimeAsync(600);
    expect(saved).toEqual([{ finding: "confirmed" }]);
  });

  it("saves at once when it is left, also for another conversation", async () => {
    const root = mount({ facts: {} });
    choose(root, "harm", "loss");
    select(root, "harm").dispatchEvent(new Event("blur"));
    await vi.advanceTimersByTimeAsync(0);
    expect(saved).toEqual([{ harm: "loss" }]);
    choose(root, "harm", "plans");
    app?.unmount();
    app = undefined;
    await vi.advanceTimersByTimeAsync(0);
    expect(saved).toEqual([{ harm: "loss" }, { harm: "plans" }]);
  });

  it("goes back to what is set when it could not be saved", async () => {
    succeeds = false;
    const root = mount({ facts: { fault: "unclear" } });
    choose(root, "fault", "customer");
    await vi.advanceTimersByTimeAsync(600);
    expect(get(root, "fact-state")?.textContent).toContain("没有记下");
    expect(select(root, "fault").value).toBe("unclear");
  });

  it("is for the owner alone", async () => {
    const root = mount({ facts: { fault: "ours" } }, false);
    expect(root.querySelector("select")).toBeNull();
    expect(get(root, "fact-fault")?.textContent).toBe("我们的责任");
    expect(get(root, "fact-finding")?.textContent).toBe("还没有记");
    shown.mine = true;
    await nextTick();
    expect(select(root, "fault").value).toBe("ours");
  });

  it("is not there without a case", () => {
    expect(get(mount(null), "fact-form")).toBeNull();
  });
});
