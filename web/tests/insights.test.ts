import { describe, expect, it } from "vitest";
import {
  caseWords,
  changeWords,
  everyDay,
  figureWords,
  grouped,
  lengthWords,
  peopleWords,
  TOO_FEW,
  valueWords,
} from "../src/staff/insights/figures";
import { askedOf, choicesOf, daysOf, filterOf, isDay, queryOf } from "../src/staff/insights/filters";
import type { Figure } from "../src/wire/insights";

// A Monday, also where the month and the year change.
const MONDAY = new Date(2026, 10, 23, 0, 30);

function figure(parts: Partial<Figure> = {}): Figure {
  return {
    id: "angry",
    group: "complaints",
    name: "生气而来",
    unit: "percent",
    value: 40,
    n: 20,
    of: 50,
    low: "",
    how: "怎么算",
    before: null,
    case_unit: "yesno",
    ...parts,
  };
}

describe("the period", () => {
  it("of weeks begins on Monday, also on a Sunday and over the end of a year", () => {
    expect(daysOf("week", MONDAY)).toEqual({ from: "2026-11-23", to: "2026-11-23" });
    expect(daysOf("week", new Date(2026, 10, 29))).toEqual({ from: "2026-11-23", to: "2026-11-29" });
    expect(daysOf("last-week", MONDAY)).toEqual({ from: "2026-11-16", to: "2026-11-22" });
    expect(daysOf("last-week", new Date(2027, 0, 5))).toEqual({ from: "2026-12-28", to: "2027-01-03" });
  });

  it("of days counts today", () => {
    expect(daysOf("30d", MONDAY)).toEqual({ from: "2026-10-25", to: "2026-11-23" });
    expect(daysOf("90d", MONDAY)).toEqual({ from: "2026-08-26", to: "2026-11-23" });
  });

  it("is what the address says, and the usual one where that makes no sense", () => {
    expect(filterOf({ from: "2026-02-01", to: "2026-02-28" }, MONDAY)).toMatchObject({
      period: "own",
      from: "2026-02-01",
      to: "2026-02-28",
    });
    for (const wrong of [
      { from: "2026-02-01", to: "2026-02-30" },
      { from: "2026-03-01", to: "2026-02-01" },
      { period: "always" },
      { from: "<script>" },
    ]) {
      expect(filterOf(wrong, MONDAY)).toMatchObject({ period: "30d", from: "2026-10-25" });
    }
    expect(["2026-02-29", "2028-02-29", "26-1-1", ""].map(isDay)).toEqual([false, true, false, false]);
  });

  it("comes back from the address that it makes", () => {
    for (const query of [
      {},
      { period: "last-week", channel: "wechat" },
      { from: "2026-02-01", to: "2026-02-28", business: "lanting", failure: "noise" },
    ]) {
      const filter = filterOf(query, MONDAY);
      expect(queryOf(filter)).toEqual(query);
      expect(filterOf(queryOf(filter), MONDAY)).toEqual(filter);
    }
  });

  it("is asked of the desk in days, with what was chosen and no more", () => {
    expect(askedOf(filterOf({ period: "week", channel: ["web", "wechat"] }, MONDAY))).toEqual({
      from: "2026-11-23",
      to: "2026-11-23",
      channel: "web",
    });
  });
});

describe("what can be chosen", () => {
  const all = {
    businesses: [],
    industries: [],
    channels: ["web", "wechat"],
    failures: [{ id: "noise", name: "太吵" }, { id: "unknown", name: "还不知道" }],
  };

  it("stays there once something of it is chosen, and begins anew without", () => {
    const chosen = filterOf({ channel: "web" }, MONDAY);
    const under = { ...all, channels: ["web"], failures: [{ id: "noise", name: "太吵" }] };
    const first = choicesOf(null, all, filterOf({}, MONDAY));
    const then = choicesOf(first, under, chosen);
    expect(then.channels).toEqual(["web", "wechat"]);
    expect(then.failures.map((one) => one.id)).toEqual(["noise"]);
    expect(choicesOf(then, { ...all, channels: [] }, filterOf({}, MONDAY)).channels).toEqual([]);
  });

  it("holds what the address has chosen, even where there is nothing of it", () => {
    const none = { ...all, channels: [], failures: [] };
    const shown = choicesOf(null, none, filterOf({ channel: "wechat", failure: "late" }, MONDAY));
    expect([shown.channels, shown.failures.map((one) => one.id)]).toEqual([["wechat"], ["late"]]);
  });
});

describe("a figure", () => {
  it("is read with its unit", () => {
    expect(valueWords(12, "count")).toBe("12");
    expect(valueWords(12.34, "percent")).toBe("12.3%");
    expect(valueWords(-1550, "fen")).toBe("-15.50元");
    expect(valueWords(1.256, "score")).toBe("1.26");
    expect(valueWords(31.04, "points")).toBe("+31");
    expect(valueWords(-12, "points")).toBe("-12");
  });

  it("of time is exact where it is short", () => {
    const words = [0, 59, 60, 95, 599, 600, 3599, 3600, 5400, 172_800].map(lengthWords);
    expect(words).toEqual([
      "0 秒",
      "59 秒",
      "1 分钟",
      "1 分 35 秒",
      "9 分 59 秒",
      "10 分钟",
      "59 分钟",
      "1 小时",
      "1 小时 30 分",
      "2 天",
    ]);
  });

  it("of too few is no zero", () => {
    expect(figureWords(figure({ value: null, n: 3, low: "少于 5 份" }))).toBe(TOO_FEW);
    expect(figureWords(figure({ value: null, n: 0 }))).toBe("还没有");
    expect(figureWords(figure({ value: 0 }))).toBe("0%");
  });

  it("says what has changed, in its own measure", () => {
    const change = (parts: Partial<Figure>): string => changeWords(figure(parts));
    expect(change({ value: 40, before: 30.5 })).toBe("比上期高 9.5 个百分点");
    expect(change({ unit: "count", value: 15, before: 12 })).toBe("比上期多 25%");
    expect(change({ unit: "count", value: 90, before: 10 })).toBe("是上期的 9 倍");
    expect(change({ unit: "count", value: 3, before: 0 })).toBe("比上期多 3");
    expect(change({ unit: "seconds", value: 45, before: 90 })).toBe("比上期短 50%");
    expect(change({ unit: "score", value: 1.25, before: 1.5 })).toBe("比上期低 0.25");
    expect(change({ unit: "points", value: 10, before: -5 })).toBe("比上期高 15");
    expect(change({ value: 40, before: 40 })).toBe("和上期一样");
    expect(change({ value: 40, before: null })).toBe("");
    expect(change({ value: null, before: 40 })).toBe("");
  });

  it("of one case is read in its own unit", () => {
    expect(caseWords(1, "yesno")).toBe("是");
    expect(caseWords(0, "yesno")).toBe("否");
    expect(caseWords(75, "seconds")).toBe("1 分 15 秒");
    expect(caseWords(null, "fen")).toBe("—");
  });

  it("stands with its like, in the order of the page; a new group is not lost", () => {
    const groups = grouped([
      figure({ id: "nps", group: "satisfaction" }),
      figure({ id: "weather", group: "天气" }),
      figure(),
      figure({ id: "csat", group: "satisfaction" }),
    ]);
    expect(groups.map((one) => [one.name, one.figures.map(({ id }) => id)])).toEqual([
      ["投诉", ["angry"]],
      ["满意度", ["nps", "csat"]],
      ["天气", ["weather"]],
    ]);
  });
});

describe("the days of a chart", () => {
  it("are all of the period, over the end of a month too; where nothing was it says nought", () => {
    const one = { day: "2026-02-28", cases: 3, anger_opening: 2, closed: 1 };
    const shown = everyDay([one], "2026-02-27", "2026-03-02");
    expect(shown.map(({ day, cases }) => [day, cases])).toEqual([
      ["2026-02-27", 0],
      ["2026-02-28", 3],
      ["2026-03-01", 0],
      ["2026-03-02", 0],
    ]);
    expect(everyDay([], "2026-03-02", "2026-03-01")).toEqual([]);
  });
});

describe("who is compared with whom", () => {
  it("is said in words, a channel by its name", () => {
    const one = { group: "channel", key: "wechat", name: "wechat", n: 3, offered_share: 10, mean_fen: null } as const;
    expect(peopleWords(one)).toBe("渠道：微信");
    expect(peopleWords({ ...one, group: "anger", key: 3, name: "愤怒" })).toBe("开始时的情绪：愤怒");
  });
});
