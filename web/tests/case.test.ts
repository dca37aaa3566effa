import { describe, expect, it } from "vitest";
import { readClock, spanWords } from "../src/staff/clocks";
import { inOrder, whyNot } from "../src/staff/dialogs/colleagues";
import { localInput, PRESETS } from "../src/staff/dialogs/snooze";
import { may } from "../src/staff/panel/authority";
import { curveWords, openings, peakOf, turns } from "../src/staff/panel/curve";
import { basisPointsOf, fenOf, typed, wholeOf } from "../src/staff/panel/money";
import { asked, draftOf, draftsOf, eitherOf, wishesOf, type Draft } from "../src/staff/panel/wishes";
import type { ChatEvent } from "../src/wire/contract";
import type { AngerPoint, Clock, Colleague, KindOfRemedy } from "../src/wire/staff";

describe("a sum as it is typed", () => {
  it.each([
    ["15", 1_500],
    ["15.5", 1_550],
    ["15.05", 1_505],
    ["0.29", 29],
    ["1.1", 110],
    ["8.2", 820],
    ["1136.10", 113_610],
    ["15.", 1_500],
    [" ￥15元 ", 1_500],
    ["¥1,234,567.89", 123_456_789],
    ["１５．５０", 1_550],
    ["15。5", 1_550],
    ["0", 0],
  ])("%s is exactly %i fen", (text, fen) => expect(fenOf(text)).toBe(fen));

  it.each(["", " ", "-1", "1e3", "15.555", ".5", "1,50", "15,5", "abc", "1 5", "0x10", "99999999999", "NaN"])(
    "%s is none",
    (text) => expect(fenOf(text)).toBeNull(),
  );

  it("is never off by what floats make of it", () => {
    for (let fen = 0; fen < 30_000; fen += 7) expect(fenOf(typed(fen))).toBe(fen);
  });

  it("reads shares in percent, and whole numbers", () => {
    expect(basisPointsOf("15")).toBe(1_500);
    expect(basisPointsOf("12.5%")).toBe(1_250);
    expect(basisPointsOf("12.555")).toBeNull();
    expect(wholeOf("３")).toBe(3);
    for (const text of ["3.0", "-3", "", "三"]) expect(wholeOf(text)).toBeNull();
  });
});

describe("remedies as they are typed", () => {
  const one = (name: string, optional = false) => ({ name, label: name, optional });
  const kinds: KindOfRemedy[] = [
    { kind: "apology", label: "道歉", parameters: [] },
    { kind: "voucher", label: "代金券", parameters: [one("fen")] },
    { kind: "refund_part", label: "部分退款", parameters: [one("bp", true), one("fen", true)] },
    { kind: "damages", label: "法定赔偿", parameters: [one("times"), one("fen")] },
  ];
  const kind = (name: string): KindOfRemedy => kinds.find((each) => each.kind === name)!;
  const filled = (name: string, values: Record<string, string>, by?: string): Draft => ({
    ...draftOf(kind(name)),
    values,
    ...(by ? { by } : {}),
  });

  it("become whole numbers of the desk", () => {
    const drafts = [
      filled("apology", {}),
      filled("voucher", { fen: "66.5" }),
      filled("refund_part", { bp: "12.5", fen: "3" }, "bp"),
      filled("damages", { times: "3", fen: "500" }),
    ];
    expect(wishesOf(drafts, kinds)).toEqual([
      { kind: "apology" },
      { kind: "voucher", fen: 6_650 },
      { kind: "refund_part", bp: 1_250 },
      { kind: "damages", times: 3, fen: 50_000 },
    ]);
  });

  it("are none while a number is missing or cannot be read", () => {
    expect(wishesOf([], kinds)).toBeNull();
    expect(wishesOf([filled("voucher", {})], kinds)).toBeNull();
    expect(wishesOf([filled("apology", {}), filled("voucher", { fen: "x" })], kinds)).toBeNull();
    expect(wishesOf([filled("refund_part", { bp: "5" }, "fen")], kinds)).toBeNull();
    expect(wishesOf([{ kind: "gone", values: {}, by: null }], kinds)).toBeNull();
  });

  it("keep what only the policy can give, as it is", () => {
    const law = { kind: "gone", times: 3, fen: 50_000 };
    const drafts = draftsOf(
      [
        { title: "法定赔偿500元", detail: "", worth: 50_000, wish: law },
        { title: "15元券", detail: "", worth: 1_500, wish: { kind: "voucher", fen: 1_500 } },
        { title: "旧的", detail: "", worth: null },
      ],
      kinds,
    );
    expect(drafts).toHaveLength(2);
    expect(wishesOf(drafts, kinds)).toEqual([law, { kind: "voucher", fen: 1_500 }]);
  });

  it("start as the policy has them", () => {
    expect(draftOf(kind("voucher"), { kind: "voucher", fen: 1_550 }).values).toEqual({ fen: "15.50" });
    const part = draftOf(kind("refund_part"), { kind: "refund_part", bp: 3_000 });
    expect(part).toMatchObject({ by: "bp", values: { bp: "30" } });
    expect(asked(kind("refund_part"), part).map(({ name }) => name)).toEqual(["bp"]);
    expect(eitherOf(kind("damages"))).toEqual([]);
  });
});

describe("a clock", () => {
  const now = Date.parse("2026-11-22T06:00:00Z");
  const clock: Clock = {
    kind: "next_response",
    state: "active",
    due_at: "2026-11-22T06:10:00Z",
    warn_at: "2026-11-22T06:05:00Z",
    paused: false,
    hits: 0,
    misses: 0,
  };

  it("is red before it is missed", () => {
    expect(readClock(clock, now)).toMatchObject({ light: "amber", words: "还剩 10 分钟" });
    expect(readClock(clock, now - 60_000).light).toBe("green");
    expect(readClock(clock, now + 5 * 60_000).light).toBe("red");
    expect(readClock(clock, now + 10 * 60_000).light).toBe("over");
    expect(readClock(clock, now + 25 * 60_000).words).toBe("超时 15 分钟");
  });

  it("stands still, was kept, was missed, or is missed and still owed", () => {
    const stands = (change: Partial<Clock>) => readClock({ ...clock, ...change }, now);
    expect(stands({ paused: true }).light).toBe("still");
    expect(stands({ state: "hit", due_at: null }).light).toBe("good");
    expect(stands({ state: "missed", due_at: null }).words).toBe("没有按时做到");
    expect(stands({ state: "missed", due_at: "2026-11-22T05:00:00Z" }).words).toBe("超时 1 小时");
    expect(stands({ state: "active_with_misses", misses: 1 }).words).toBe("还剩 10 分钟");
  });

  it("says spans roughly", () => {
    expect([20_000, 59 * 60_000, 90 * 60_000, 26 * 3_600_000].map(spanWords)).toEqual([
      "1 分钟",
      "59 分钟",
      "1 小时 30 分",
      "1 天 2 小时",
    ]);
  });
});

describe("the anger curve", () => {
  const points = (...levels: number[]): AngerPoint[] =>
    levels.map((level, index) => ({
      at: `2026-11-22T06:0${index}:00Z`,
      level,
      heat: level,
      message: `m${index}`,
    }));

  it("has words at its peaks, once each", () => {
    expect(turns(points(1, 3, 3, 1, 2, 0))).toEqual([1, 4]);
    expect(turns(points(0, 1, 0, 1))).toEqual([]);
    expect(turns(points(1, 2, 3))).toEqual([2]);
    expect(turns(points(3, 2, 1))).toEqual([0]);
    expect(turns(points(1, 2, 2, 3))).toEqual([3]);
    expect(turns([])).toEqual([]);
  });

  it("is told in a sentence", () => {
    const at = (iso: string): string => iso.slice(11, 16);
    expect(curveWords(points(1, 3, 1), at)).toBe("共 3 句，开头不满；06:01 最高，愤怒；最近一句不满。");
    expect(curveWords(points(0, 0), at)).toBe("共 2 句，开头平静；最近一句平静。");
    expect(curveWords([], at)).toBe("还没有测到情绪。");
    expect(peakOf(points(1, 3, 3))?.message).toBe("m1");
  });

  it("names messages by how they begin, without cutting a sign in two", () => {
    const said = (text: string): ChatEvent => ({
      id: text,
      at: "",
      kind: "message",
      author: "customer",
      name: "",
      mine: false,
      text,
    });
    expect(openings([said("😡😡😡")], 2).get("😡😡😡")).toBe("😡😡…");
    expect(openings([said("好")]).get("好")).toBe("好");
  });
});

describe("colleagues to hand over to", () => {
  const one = (id: number, rest: Partial<Colleague>): Colleague => ({
    id,
    name: String(id),
    role: "agent",
    presence: "online",
    open: 0,
    capacity: 5,
    skills: [],
    ...rest,
  });

  it("come in the order of who is best placed, those who cannot last", () => {
    const order = inOrder(
      [
        one(1, { presence: "offline" }),
        one(2, { open: 5 }),
        one(3, { presence: "away" }),
        one(4, { open: 1 }),
        one(5, { open: 4, skills: ["hotel"] }),
        one(6, {}),
      ],
      "hotel",
    );
    expect(order.map(({ id }) => id)).toEqual([5, 6, 4, 3, 2, 1]);
    expect(order.map(whyNot).filter(Boolean)).toHaveLength(2);
  });
});

describe("putting aside", () => {
  it("ends where its words say", () => {
    const now = new Date(2026, 11, 31, 23, 50);
    const [quarter, hour, morning] = PRESETS.map((preset) => preset.until(now));
    expect(quarter?.getTime()).toBe(now.getTime() + 900_000);
    expect(hour?.getTime()).toBe(now.getTime() + 3_600_000);
    expect(morning).toEqual(new Date(2027, 0, 1, 9));
    expect(localInput(new Date(2026, 0, 2, 3, 4))).toBe("2026-01-02T03:04");
  });
});

it("an authority holds for its own rank and those below", () => {
  expect(may("agent", "bot")).toBe(true);
  expect(may("agent", "agent")).toBe(true);
  expect(may("agent", "manager")).toBe(false);
  expect(may(null, "bot")).toBe(false);
});
