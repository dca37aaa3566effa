import type { Row } from "../../wire/staff";

/** The lists of the staff page; one open row stands in exactly one of them. */
export type ListName = "queue" | "mine" | "others" | "bot" | "snoozed" | "closed";

export const LISTS: readonly { name: ListName; label: string; empty: string }[] = [
  { name: "queue", label: "待接手", empty: "现在没有人在等，喝口水吧。" },
  { name: "mine", label: "我的", empty: "您手上没有会话。从“待接手”里接手一个。" },
  { name: "others", label: "同事", empty: "同事手上现在没有会话。" },
  { name: "bot", label: "机器人", empty: "机器人手上现在没有会话。" },
  { name: "snoozed", label: "稍后", empty: "没有放到稍后的会话。" },
  { name: "closed", label: "已结案", empty: "没有找到已结案的会话。" },
];

/** The list in which a row stands for this member. */
export function listOf(row: Row, me: number, now: Date): ListName {
  if (row.closed_at) return "closed";
  if (row.snoozed_until && Date.parse(row.snoozed_until) > now.getTime()) return "snoozed";
  if (row.owner === "queue") return "queue";
  if (row.owner === "bot") return "bot";
  return row.owner === `staff:${me}` ? "mine" : "others";
}

const LATE = "9999";
type Order = (one: Row, other: Row) => number;

const early = (one: string | null, other: string | null): number => {
  const [a, b] = [one ?? LATE, other ?? LATE];
  return a < b ? -1 : a > b ? 1 : 0;
};
const urgent: Order = (one, other) => other.priority - one.priority;
const recent: Order = (one, other) => early(other.last_at, one.last_at);
const same: Order = (one, other) => early(one.id, other.id);

/** The first of several orders that tells two rows apart. */
const by =
  (...orders: Order[]): Order =>
  (one, other) => {
    for (const order of [...orders, same]) {
      const found = order(one, other);
      if (found !== 0) return found;
    }
    return 0;
  };

const waiting: Order = (one, other) =>
  early(one.waiting_since ?? one.last_at, other.waiting_since ?? other.last_at);
const due: Order = (one, other) =>
  early(one.clock?.due_at ?? null, other.clock?.due_at ?? null);
const unread: Order = (one, other) => Number(other.unread > 0) - Number(one.unread > 0);

const ORDERS: Record<ListName, Order> = {
  queue: by(urgent, waiting),
  mine: by(due, unread, recent),
  others: by(urgent, recent),
  bot: by(urgent, recent),
  snoozed: by((one, other) => early(one.snoozed_until, other.snoozed_until)),
  closed: by((one, other) => early(other.closed_at ?? other.last_at, one.closed_at ?? one.last_at)),
};

export interface Filter {
  /** Null for all. */
  label: number | null;
  industry: string | null;
}

export const passes = (row: Row, filter: Filter): boolean =>
  (filter.industry === null || row.industry === filter.industry) &&
  (filter.label === null || row.labels.some((label) => label.id === filter.label));

/** All rows by list, each list in its order. */
export function sortOut(rows: Iterable<Row>, me: number, now: Date): Record<ListName, Row[]> {
  const lists: Record<ListName, Row[]> = {
    queue: [],
    mine: [],
    others: [],
    bot: [],
    snoozed: [],
    closed: [],
  };
  for (const row of rows) lists[listOf(row, me, now)].push(row);
  for (const { name } of LISTS) lists[name].sort(ORDERS[name]);
  return lists;
}
