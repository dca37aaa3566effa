import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, h, nextTick, reactive, type App } from "vue";
import CasePanel from "../src/staff/panel/CasePanel.vue";
import RequestCard from "../src/staff/panel/RequestCard.vue";
import type { Advice, Detail, Member, RemedyRequest, Row, StaffCase } from "../src/wire/staff";

const NOW = Date.parse("2026-11-22T04:00:00Z");
const ADVICE: Advice = {
  authority: "agent",
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
  evidence: "",
  lacks_evidence: false,
  provisional: false,
  facts: { fault: "ours", finding: "alleged", harm: "slight" },
};
const ME: Member = {
  id: 1,
  login: "lin",
  name: "小林",
  role: "agent",
  may: ["read", "handle"],
  business: "qinghe",
  presence: "online",
  capacity: 5,
  totp: false,
  must_change: false,
};
const ROW: Row = {
  id: "k1",
  business: "青禾小铺",
  business_id: "qinghe",
  industry: "shop",
  channel: "web",
  customer: "苏禾",
  visibility: "private",
  matter: "您担心商品真伪这件事",
  case: "c1",
  stage: "person",
  anger: 1,
  peak: 2,
  trend: "steady",
  safety: false,
  priority: 1,
  why: "",
  owner: "staff:1",
  owner_name: "小林",
  reason: "alleged",
  waiting_since: null,
  awaiting_since: null,
  front: false,
  snoozed_until: null,
  closed_at: null,
  last: "",
  last_at: "2026-11-22T03:00:00Z",
  unread: 0,
  labels: [],
  clock: null,
  masked: false,
};
const CASE: StaffCase = {
  id: "c1",
  stage: "person",
  matter: ROW.matter,
  also: "",
  facts: {},
  order_number: null,
  anger: null,
  safety: false,
  reason: "alleged",
  promised_by: null,
  outcome: null,
  offers: [],
  remedies: [],
  advice: ADVICE,
  no_advice: null,
  may_offer: { authority: "agent", departure_fen: 2_000, words: "最多多给20元。" },
};
const REQUEST: RemedyRequest = {
  id: "q1",
  conversation: "k1",
  customer: "苏禾",
  matter: ROW.matter,
  business: "青禾小铺",
  asked_by: "小林",
  asked_by_id: 1,
  asked_at: "2026-11-22T03:50:00Z",
  reason: "等了三天",
  items: ADVICE.items,
  worth_fen: 60_000,
  policy_fen: 58_350,
  needed: "manager",
  state: "open",
  decided_by: null,
  decided_at: null,
  answer: null,
};

function detailOf(held: Partial<StaffCase> | null, rest: Partial<Detail> = {}): Detail {
  return {
    conversation: ROW,
    case: held && { ...CASE, ...held },
    summary: "",
    anger: [],
    customer: { name: "苏禾", since: "2026-01-01T00:00:00Z", proved: true, channel: "web" },
    order: null,
    earlier: [],
    clocks: [],
    notes: [],
    labels: [],
    requests: [],
    kinds: [],
    outcomes: [],
    lesson: null,
    stages: [],
    looking: [],
    quota: null,
    held: [],
    undelivered: [],
    unsure: [],
    public: [],
    private: [],
    seq: 1,
    ...rest,
  };
}

interface Call {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

let app: App | undefined;
let calls: Call[];
let answer: () => Promise<Response>;
let changed: number;

const ok = (body: unknown = {}): Promise<Response> =>
  Promise.resolve(new Response(JSON.stringify(body), { status: 200 }));
const refused = (status: number, code: string, message: string): Promise<Response> =>
  Promise.resolve(new Response(JSON.stringify({ error: { code, message } }), { status }));

function show(render: () => ReturnType<typeof h>): HTMLElement {
  const root = document.createElement("div");
  document.body.append(root);
  app = createApp({ render });
  app.mount(root);
  return root;
}

function panel(detail: Detail, me: Member = ME): { root: HTMLElement; shown: { detail: Detail } } {
  const shown = reactive({ detail });
  const root = show(() =>
    h(CasePanel, { detail: shown.detail, me, now: NOW, onChanged: () => (changed += 1) }),
  );
  return { root, shown };
}

const get = (root: ParentNode, id: string): HTMLElement | null =>
  root.querySelector<HTMLElement>(`[data-testid=${id}]`);
const press = async (root: ParentNode, id: string): Promise<void> => {
  get(root, id)?.click();
  await vi.advanceTimersByTimeAsync(0);
  await nextTick();
};
const fact = (root: ParentNode, name: string): HTMLSelectElement =>
  get(root, `fact-${name}`) as HTMLSelectElement;

function choose(root: ParentNode, name: string, value: string): void {
  const field = fact(root, name);
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  calls = [];
  changed = 0;
  answer = () => ok();
  vi.stubGlobal("fetch", (path: string, init: { method: string; body?: string }) => {
    calls.push({
      method: init.method,
      path: path.replace("/api/staff/conversations/", ""),
      body: JSON.parse(init.body ?? "{}") as Record<string, unknown>,
    });
    return answer();
  });
});

afterEach(() => {
  app?.unmount();
  app = undefined;
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("what is known of a case", () => {
  it("stands in words, and nothing raw", () => {
    const { root } = panel(
      detailOf({
        also: "太吵、没法休息这件事",
        facts: {
          failure: "fake",
          also: "noise",
          evidence: "declined",
          wish: "refund",
          harm: "loss",
          advice: ADVICE as unknown as Record<string, unknown>,
        },
      }),
    );
    const text = root.textContent ?? "";
    for (const told of ["太吵、没法休息这件事", "顾客说没有", "顾客想要的形式", "退款", "有损失"]) {
      expect(text).toContain(told);
    }
    for (const raw of ["declined", "noise", "floor_fen", "{", "[object"]) {
      expect(text).not.toContain(raw);
    }
  });

  it("keeps what a customer wrote as text", () => {
    const script = "<img src=x onerror=alert(1)>";
    const { root } = panel(detailOf({ facts: { keywords: [script] } }, { summary: script }));
    expect(root.querySelector("img")).toBeNull();
    expect(get(root, "summary")?.textContent).toBe(script);
  });

  it("is there without a case, too", () => {
    const { root } = panel(detailOf(null));
    expect(get(root, "fact-form")).toBeNull();
    expect(root.textContent).toContain("还没有案子");
  });

  it("stays folded as its reader left it", async () => {
    const { root } = panel(detailOf({}));
    const block = get(root, "block-customer") as HTMLDetailsElement;
    expect(block.open).toBe(true);
    block.open = false;
    block.dispatchEvent(new Event("toggle"));
    await nextTick();
    app?.unmount();
    const again = panel(detailOf({})).root;
    expect((get(again, "block-customer") as HTMLDetailsElement).open).toBe(false);
    expect((get(again, "block-remedies") as HTMLDetailsElement).open).toBe(true);
  });
});

describe("the policy's remedies", () => {
  it("show what is owed and goodwill apart, with sums, authority, rules", () => {
    const { root } = panel(detailOf({}));
    const block = get(root, "advice") as HTMLElement;
    expect(get(block, "authority")?.textContent?.trim()).toBe("客服可以决定");
    const parts = [...block.querySelectorAll("[data-testid=part]")].map((one) => one.textContent);
    expect(parts).toHaveLength(2);
    expect(parts[0]).toContain("应给的");
    expect(parts[0]).toContain("合 568元");
    expect(parts[0]).toContain("法定赔偿500元");
    expect(parts[1]).toContain("另外的心意");
    expect(parts[1]).toContain("合 15.50元");
    expect(get(block, "rules")?.textContent).toContain("law-fraud");
    expect(block.textContent).toContain("商品查实是假货");
    expect(get(block, "no-advice")).toBeNull();
  });

  it("say why there are none, and show what the hand-over left", () => {
    const left = { advice: ADVICE as unknown as Record<string, unknown> };
    const { root } = panel(detailOf({ facts: left, advice: null, no_advice: "orders_away" }));
    expect(get(root, "no-advice")?.textContent).toContain("订单系统暂时没有回答");
    expect(get(root, "no-advice")?.textContent).toContain("转来时的建议");
    expect(get(root, "offer-policy")).toBeNull();
    app?.unmount();
    const without = panel(detailOf({ advice: null, no_advice: "no_order" })).root;
    expect(get(without, "no-advice")?.textContent).toContain("订单还没有核实");
    expect(get(without, "authority")).toBeNull();
  });

  it("are offered with two presses", async () => {
    const { root } = panel(detailOf({}));
    await press(root, "offer-policy");
    expect(calls).toEqual([]);
    await press(root, "offer-confirm");
    expect(calls).toHaveLength(1);
    expect(calls[0]?.path).toBe("k1/offers");
    expect(Object.keys(calls[0]?.body ?? {})).toEqual(["id"]);
    expect(changed).toBe(1);
    expect(get(root, "offer-confirm")).toBeNull();
  });

  it("are offered once however often one presses, and once more under the same id without an answer", async () => {
    const { root } = panel(detailOf({}));
    await press(root, "offer-policy");
    let lose: (error: Error) => void = () => {};
    answer = () => new Promise((_, reject) => (lose = reject));
    await press(root, "offer-confirm");
    await press(root, "offer-confirm");
    expect(calls).toHaveLength(1);
    lose(new Error("cut"));
    await vi.advanceTimersByTimeAsync(0);
    expect(get(root, "offer-failure")?.textContent).toContain("暂时连不上");
    answer = () => ok();
    await press(root, "offer-confirm");
    expect(calls[1]?.body["id"]).toBe(calls[0]?.body["id"]);
  });

  it("say so when the customer has agreed already", async () => {
    const { root } = panel(detailOf({}));
    await press(root, "offer-policy");
    await press(root, "offer-agreed");
    await press(root, "offer-confirm");
    expect(calls[0]?.body["agreed"]).toBe(true);
  });

  it("are asked of a manager where the authority does not suffice", async () => {
    const { root } = panel(detailOf({ advice: { ...ADVICE, authority: "manager" } }));
    expect(get(root, "offer-policy")).toBeNull();
    expect(get(root, "request-policy")?.textContent?.trim()).toBe("申请经理批准");
    app?.unmount();
    const asked = panel(
      detailOf({ advice: { ...ADVICE, authority: "manager" } }, { requests: [REQUEST] }),
    ).root;
    expect(get(asked, "request-policy")).toBeNull();
  });

  it("may be asked for when the desk knows better than the page", async () => {
    const { root } = panel(detailOf({}));
    await press(root, "offer-policy");
    answer = () => refused(409, "beyond", "这个方案要经理批准。");
    await press(root, "offer-confirm");
    expect(get(root, "offer-failure")?.textContent).toBe("这个方案要经理批准。");
    expect(get(root, "request-policy")).not.toBeNull();
  });

  it("are the owner's to offer", () => {
    const { root } = panel(detailOf({}), { ...ME, id: 2 });
    for (const id of ["offer-policy", "departure"]) expect(get(root, id)).toBeNull();
    app?.unmount();
    const trainer = panel(detailOf({}), { ...ME, role: "trainer", may: ["read"] }).root;
    expect(get(trainer, "offer-policy")).toBeNull();
    expect(get(trainer, "edit-labels")).toBeNull();
  });
});

describe("what was given", () => {
  it("shows worth, rules, who offered it and why it departs", () => {
    const offer = { policy: "1.0", expires: "2026-11-23T00:00:00Z", by: "小林", provisional: false };
    const { root } = panel(
      detailOf({
        offers: [
          {
            ...offer,
            id: "o0",
            state: "accepted",
            items: [{ title: "换房", detail: "" }],
            reason: "",
            rules: [],
            floor_fen: 0,
            goodwill_fen: 0,
            departure: "带着孩子",
          },
          {
            ...offer,
            id: "o1",
            state: "replaced",
            items: ADVICE.items,
            reason: "房间没有打扫干净",
            rules: ["hotel-floor-1"],
            floor_fen: 56_800,
            goodwill_fen: 1_550,
            provisional: true,
            departure: null,
          },
        ],
      }),
    );
    const [newest, first] = [...root.querySelectorAll("[data-testid=given-offer]")];
    expect(newest?.textContent).toContain("合 568元");
    expect(newest?.textContent).toContain("合 15.50元");
    expect(newest?.textContent).toContain("hotel-floor-1");
    expect(newest?.textContent).toContain("不是最后的处理");
    expect(newest?.textContent).not.toContain("与政策不同");
    expect(first?.textContent).toContain("换房");
    expect(first?.textContent).toContain("带着孩子");
    expect(first?.textContent).not.toContain("合 ");
  });

  const STANDING: StaffCase["offers"][number] = {
    id: "o1",
    state: "open",
    items: ADVICE.items,
    reason: "",
    rules: [],
    policy: "1.0",
    expires: "2026-11-23T00:00:00Z",
    by: "马经理",
    provisional: false,
    floor_fen: 0,
    goodwill_fen: 0,
    departure: null,
  };

  it.each(["accept", "refuse", "withdraw"])(
    "is settled by its owner with a second press: %s",
    async (how) => {
      const { root } = panel(detailOf({ offers: [STANDING] }));
      await press(root, `offer-${how}`);
      expect(calls).toHaveLength(0);
      await press(root, "offer-settle");
      expect(calls.at(-1)?.path).toBe(`k1/offers/o1/${how}`);
      expect(get(root, "offer-settle")).toBeNull();
    },
  );

  it("is settled by nobody else, nor when it is no longer open", () => {
    const colleague = panel(detailOf({ offers: [STANDING] }), { ...ME, id: 2 }).root;
    expect(get(colleague, "offer-accept")).toBeNull();
    app?.unmount();
    const taken = panel(detailOf({ offers: [{ ...STANDING, state: "accepted" }] })).root;
    expect(get(taken, "offer-accept")).toBeNull();
    app?.unmount();
    const late = { ...STANDING, expires: "2026-11-22T03:00:00Z" };
    expect(get(panel(detailOf({ offers: [late] })).root, "offer-accept")).toBeNull();
  });

  it("is tried again, or done by hand with a word on how", async () => {
    const { root } = panel(
      detailOf({
        remedies: [
          { key: "r1", remedy: "points", title: "积分", state: "failed", receipt: null, attempts: 3, problem: "没有回答" },
          { key: "r2", remedy: "voucher", title: "券", state: "done", receipt: { coupon: "Q1" }, attempts: 1, problem: null },
        ],
      }),
    );
    expect(root.querySelectorAll("[data-testid=remedy-retry]")).toHaveLength(1);
    await press(root, "remedy-retry");
    expect(calls.at(-1)?.path).toBe("k1/remedies/r1/retry");
    await press(root, "remedy-by-hand");
    await press(root, "remedy-by-hand");
    expect(calls).toHaveLength(1);
    expect(root.textContent).toContain("请写一句怎么办妥的");
    const note = get(root, "remedy-note") as HTMLTextAreaElement;
    note.value = "打电话补上了";
    note.dispatchEvent(new Event("input"));
    await press(root, "remedy-by-hand");
    expect(calls.at(-1)).toMatchObject({ path: "k1/remedies/r1/done", body: { note: "打电话补上了" } });
  });
});

describe("a request", () => {
  function card(request: Partial<RemedyRequest>, may_grant: boolean, me_id: number): HTMLElement {
    return show(() =>
      h(RequestCard, {
        request: { ...REQUEST, ...request },
        may_grant,
        me_id,
        onDecided: () => (changed += 1),
      }),
    );
  }

  it("is granted with one press, and refused only with a word", async () => {
    const root = card({}, true, 9);
    await press(root, "request-refuse");
    await press(root, "request-refuse");
    expect(calls).toEqual([]);
    expect(root.textContent).toContain("请写一句为什么不批");
    const note = get(root, "request-note") as HTMLTextAreaElement;
    note.value = "先看顾客接不接受";
    note.dispatchEvent(new Event("input"));
    await press(root, "request-refuse");
    expect(calls.at(-1)).toMatchObject({
      path: "/api/staff/requests/q1/refuse",
      body: { note: "先看顾客接不接受" },
    });
    app?.unmount();
    await press(card({}, true, 9), "request-grant");
    expect(calls.at(-1)?.path).toBe("/api/staff/requests/q1/grant");
    expect(changed).toBe(2);
  });

  it("is never granted by who asked, but withdrawn", async () => {
    const root = card({}, true, 1);
    expect(get(root, "request-grant")).toBeNull();
    await press(root, "request-withdraw");
    expect(calls.at(-1)).toMatchObject({ method: "DELETE", path: "k1/requests/q1" });
  });

  it("says what became of it", () => {
    const root = card({ state: "refused", decided_by: "林经理", answer: "先按政策" }, true, 9);
    expect(root.textContent).toContain("已驳回");
    expect(root.textContent).toContain("先按政策");
    expect(root.querySelector("button")).toBeNull();
  });

  it("shows why the desk did not take the decision", async () => {
    const root = card({}, true, 9);
    answer = () => refused(409, "changed", "案情变了，请再看一遍。");
    await press(root, "request-grant");
    expect(root.querySelector("[role=alert]")?.textContent?.trim()).toBe("案情变了，请再看一遍。");
    expect(changed).toBe(0);
  });
});

describe("the form of facts", () => {
  const saved = (): unknown[] => calls.map((one) => one.body);

  it("shows what is set, and what the policy assumes where nothing is", () => {
    const { root } = panel(detailOf({ facts: { fault: "third_party" } }));
    expect(fact(root, "fault").value).toBe("third_party");
    expect(fact(root, "finding").selectedOptions[0]?.textContent).toContain("按“顾客指称，未查实”算");
    for (const name of ["fault", "finding", "harm"]) {
      expect(root.querySelector(`label[for="${fact(root, name).id}"]`)).not.toBeNull();
    }
  });

  it("saves what is chosen by itself, and says so", async () => {
    const { root } = panel(detailOf({}));
    choose(root, "fault", "ours");
    await nextTick();
    expect(get(root, "fact-state")?.textContent).toContain("正在记");
    await vi.advanceTimersByTimeAsync(600);
    expect(saved()).toEqual([{ fault: "ours" }]);
    expect(get(root, "fact-state")?.textContent).toContain("已记下：责任「我们的责任」");
    expect(get(root, "fact-state")?.getAttribute("role")).toBe("status");
    expect(changed).toBe(1);
  });

  it("does not save what a keyboard only passes", async () => {
    const { root } = panel(detailOf({}));
    for (const value of ["none", "alleged", "confirmed"]) {
      choose(root, "finding", value);
      await vi.advanceTimersByTimeAsync(200);
    }
    await vi.advanceTimersByTimeAsync(600);
    expect(saved()).toEqual([{ finding: "confirmed" }]);
  });

  it("saves at once when it is left, for the conversation that it was chosen for", async () => {
    const { root, shown } = panel(detailOf({}));
    choose(root, "harm", "loss");
    fact(root, "harm").dispatchEvent(new Event("blur"));
    await vi.advanceTimersByTimeAsync(0);
    choose(root, "harm", "plans");
    shown.detail = detailOf({}, { conversation: { ...ROW, id: "k2" } });
    await vi.advanceTimersByTimeAsync(0);
    expect(calls.map((one) => [one.path, one.body])).toEqual([
      ["k1/facts", { harm: "loss" }],
      ["k1/facts", { harm: "plans" }],
    ]);
  });

  it("goes back to what is set when it could not be saved", async () => {
    answer = () => refused(409, "not_owner", "由别人负责。");
    const { root } = panel(detailOf({ facts: { fault: "unclear" } }));
    choose(root, "fault", "customer");
    await vi.advanceTimersByTimeAsync(600);
    expect(get(root, "fact-state")?.textContent).toContain("没有记下");
    expect(fact(root, "fault").value).toBe("unclear");
  });

  it("is for the owner alone", async () => {
    const others = { conversation: { ...ROW, owner: "queue" } };
    const { root, shown } = panel(detailOf({ facts: { fault: "ours" } }, others));
    expect(root.querySelector("select")).toBeNull();
    expect(get(root, "fact-fault")?.textContent).toBe("我们的责任");
    expect(get(root, "fact-finding")?.textContent).toContain("还没有记");
    shown.detail = detailOf({ facts: { fault: "ours" } });
    await nextTick();
    expect(fact(root, "fault").value).toBe("ours");
  });
});
