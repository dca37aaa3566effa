import { describe, expect, it } from "vitest";
import {
  aheadBy,
  changedDraft,
  clockWords,
  linesOf,
  outcomeWords,
  rowWords,
  spokenLeft,
} from "../src/staff/drill/telling";
import type { Draft, DrillRow } from "../src/wire/drills";

const ROW: DrillRow = {
  id: "d1",
  title: "半夜入住，房间没打扫",
  staff: "小林",
  state: "ended",
  started_at: "2026-11-22T04:00:00Z",
  due_at: "2026-11-22T04:10:00Z",
  ended_at: "2026-11-22T04:05:00Z",
  outcome: "calmed",
  good: 6,
  of: 8,
  opening: 2,
  close: 0,
};

describe("a practice", () => {
  it("says what is left by the desk's clock", () => {
    expect(clockWords(245)).toBe("04:05");
    expect(clockWords(0.2)).toBe("00:01");
    expect(clockWords(-3)).toBe("00:00");
    expect(spokenLeft(125)).toBe("还剩约 3 分钟");
    expect(spokenLeft(59)).toBe("还剩不到一分钟");
    expect(spokenLeft(0)).toBe("时间到了");
    expect(aheadBy("2026-11-22T04:00:05Z", Date.parse("2026-11-22T04:00:00Z"))).toBe(5000);
  });

  it("is told in one line", () => {
    expect(rowWords(ROW)).toBe("顾客消了气，8 项做到 6 项，情绪 2 → 0");
    const running = { ...ROW, outcome: null, good: null, of: null, opening: null, close: null };
    expect(rowWords(running)).toBe("还在练");
    expect(outcomeWords("walked_out")).toBe("顾客走了");
  });
});

describe("a scenario out of a case", () => {
  const draft: Draft = {
    title: " 房间没有打扫干净 ",
    failure: "room_not_clean",
    minutes: 10,
    anger: 2,
    persona: { name: "一位顾客", about: "" },
    opening: ["旧的"],
    facts: [
      { title: "一", asked: ["怎么"], line: "甲", given: false, hidden: true },
      { title: "二", asked: ["怎么"], line: "乙", given: false, hidden: true },
    ],
    better: { acknowledge: "换谁都会生气。", step: "十分钟内办好。" },
    closing: "好。",
    order: { paid: 1000 },
  };

  it("is kept as it was changed, without what was emptied", () => {
    const made = changedDraft(draft, "第一句\n\n 第二句 \n", ["甲改", "  "]);
    expect(made.title).toBe("房间没有打扫干净");
    expect(made.opening).toEqual(["第一句", "第二句"]);
    expect(made.facts.map((one) => one.line)).toEqual(["甲改"]);
    expect(made.order).toEqual({ paid: 1000 });
    expect(linesOf("\n \n")).toEqual([]);
  });
});
