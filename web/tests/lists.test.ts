import { describe, expect, it } from "vitest";
import { calls } from "../src/staff/attention";
import { readRunning } from "../src/staff/clocks";
import { LISTS, listOf, passes, sortOut } from "../src/staff/list/lists";
import { indicesOf, rowByKey, spanOf } from "../src/staff/list/windowing";
import type { Clock } from "../src/wire/staff";
import { row } from "./staffRows";

const NOW = new Date("2026-03-01T09:00:00Z");
const LATER = "2026-03-01T10:00:00+00:00";
const ids = (rows: { id: string }[]): string[] => rows.map((one) => one.id);
const clock = (parts: Partial<Clock> = {}): Clock => ({
  kind: "next_response",
  state: "active",
  due_at: "2026-03-01T09:10:00+00:00",
  warn_at: "2026-03-01T09:08:00+00:00",
  paused: false,
  hits: 0,
  misses: 0,
  ...parts,
});

describe("the list of a row", () => {
  it.each([
    ["queue", { owner: "queue" }],
    ["mine", { owner: "staff:1" }],
    ["others", { owner: "staff:12" }],
    ["bot", { owner: "bot" }],
    ["snoozed", { owner: "staff:1", snoozed_until: LATER }],
    ["mine", { owner: "staff:1", snoozed_until: "2026-03-01T08:59:00+00:00" }],
    ["closed", { owner: "bot", closed_at: LATER }],
  ] as const)("is %s", (name, parts) => {
    expect(listOf(row(parts), 1, NOW)).toBe(name);
  });

  it("is one for each row", () => {
    const rows = [row({ id: "a" }), row({ id: "b", owner: "bot" }), row({ id: "c", owner: "staff:1" })];
    const lists = sortOut(rows, 1, NOW);
    expect(LISTS.flatMap(({ name }) => ids(lists[name])).sort()).toEqual(["a", "b", "c"]);
  });
});

describe("the order", () => {
  it("of the queue is the priority, then who waits longest", () => {
    const lists = sortOut(
      [
        row({ id: "late", priority: 10, waiting_since: "2026-03-01T08:30:00+00:00" }),
        row({ id: "early", priority: 10, waiting_since: "2026-03-01T08:10:00+00:00" }),
        row({ id: "urgent", priority: 50, waiting_since: "2026-03-01T08:50:00+00:00" }),
      ],
      1,
      NOW,
    );
    expect(ids(lists.queue)).toEqual(["urgent", "early", "late"]);
  });

  it("of the own ones is the clock that is due first, then the unread", () => {
    const mine = { owner: "staff:1" };
    const lists = sortOut(
      [
        row({ ...mine, id: "read" }),
        row({ ...mine, id: "unread", unread: 2 }),
        row({ ...mine, id: "due", clock: clock() }),
        row({ ...mine, id: "due first", clock: clock({ due_at: "2026-03-01T09:01:00+00:00" }) }),
      ],
      1,
      NOW,
    );
    expect(ids(lists.mine)).toEqual(["due first", "due", "unread", "read"]);
  });

  it("does not depend on the order in which rows came", () => {
    const rows = [row({ id: "b" }), row({ id: "a" }), row({ id: "c" })];
    expect(ids(sortOut(rows, 1, NOW).queue)).toEqual(ids(sortOut(rows.reverse(), 1, NOW).queue));
  });
});

it("a filter lets through what has the label and the industry", () => {
  const labelled = row({ labels: [{ id: 3, name: "物流", colour: "blue" }] });
  expect(passes(labelled, { label: 3, industry: null })).toBe(true);
  expect(passes(labelled, { label: 4, industry: null })).toBe(false);
  expect(passes(labelled, { label: 3, industry: "shop" })).toBe(false);
});

describe("a clock in a row", () => {
  const at = (time: string) => readRunning(clock(), Date.parse(`2026-03-01T${time}Z`));

  it("is green, amber, red before it is missed, and then over", () => {
    expect(["09:00:00", "09:06:30", "09:08:30", "09:12:00"].map((time) => at(time)?.light)).toEqual([
      "green",
      "amber",
      "red",
      "over",
    ]);
    expect(at("09:00:00")).toMatchObject({ words: "还剩 10 分钟", short: "剩10分" });
    expect(at("09:12:00")?.short).toBe("超时2分");
  });

  it("says when it does not run, and nothing where there is none to run", () => {
    expect(readRunning(clock({ paused: true }), NOW.getTime())?.light).toBe("still");
    expect(readRunning(clock({ due_at: null }), NOW.getTime())).toBeNull();
    expect(readRunning(clock({ state: "hit" }), NOW.getTime())).toBeNull();
  });
});

describe("the rows in the page", () => {
  it.each([0, 1, 7, 60, 1_000, 2_000])("are few, and all that are seen, of %i", (count) => {
    for (const top of [0, 50, 4_321, 100 * count, 1e9]) {
      const { first, end } = spanOf(top, 700, 100, count);
      expect(end - first).toBeLessThan(60);
      expect(first).toBeGreaterThanOrEqual(0);
      expect(end).toBeLessThanOrEqual(count);
      const last = Math.max(0, 100 * count - 700);
      if (top > last) continue;
      expect(first).toBeLessThanOrEqual(Math.floor(top / 100));
      expect(end).toBeGreaterThanOrEqual(Math.min(count, Math.ceil((top + 700) / 100)));
    }
  });

  it("hold the one that has the focus, in its order", () => {
    const span = { first: 5, end: 8 };
    expect(indicesOf(span, 6, 20)).toEqual([5, 6, 7]);
    expect(indicesOf(span, 1, 20)).toEqual([1, 5, 6, 7]);
    expect(indicesOf(span, 12, 20)).toEqual([5, 6, 7, 12]);
    expect(indicesOf(span, -1, 20)).toEqual([5, 6, 7]);
  });

  it("are reached by keys, never past an end", () => {
    expect(rowByKey("ArrowDown", 3, 5, 10)).toBe(4);
    expect(rowByKey("ArrowUp", 0, 5, 10)).toBe(0);
    expect(rowByKey("PageDown", 7, 5, 10)).toBe(9);
    expect(rowByKey("Home", 7, 5, 10)).toBe(0);
    expect(rowByKey("End", 0, 5, 10)).toBe(9);
    expect(rowByKey("x", 0, 5, 10)).toBeNull();
    expect(rowByKey("End", 0, 5, 0)).toBeNull();
  });
});

describe("a change of a row calls for attention", () => {
  const mine = { owner: "staff:1" };

  it("where it is new in the queue, or has news for its owner", () => {
    expect(calls(row(), undefined, 1, NOW)).toBe(true);
    expect(calls(row(), row({ owner: "bot" }), 1, NOW)).toBe(true);
    expect(calls(row({ ...mine, unread: 2 }), row({ ...mine, unread: 1 }), 1, NOW)).toBe(true);
  });

  it("and in no other case", () => {
    expect(calls(row({ priority: 20 }), row(), 1, NOW)).toBe(false);
    expect(calls(row({ ...mine, unread: 1 }), row({ ...mine, unread: 1 }), 1, NOW)).toBe(false);
    expect(calls(row({ owner: "staff:2", unread: 9 }), undefined, 1, NOW)).toBe(false);
    expect(calls(row({ owner: "bot", unread: 9 }), undefined, 1, NOW)).toBe(false);
  });
});
