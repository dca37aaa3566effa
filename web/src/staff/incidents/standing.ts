import type {
  Incident,
  IncidentMember,
  IncidentMessage,
  IncidentRow,
  IncidentState,
} from "../../wire/incidents";

const STATES: Record<IncidentState, string> = {
  proposed: "待确认",
  single: "单个顾客",
  open: "处理中",
  closed: "已结束",
  dismissed: "不是一件事",
};

/** The state of an incident, as its tag. */
export const stateWords = (state: IncidentState): string => STATES[state];

/** Who brought it up. */
export function sourceWords(one: IncidentRow): string {
  if (one.source === "order_system") return "订单系统报来的";
  if (one.source === "bot") return one.reason ? `机器人提议：${one.reason}` : "机器人提议";
  return `${one.opened_by}建的`;
}

/** How many customers, and what is left to do about them. */
export function countWords(one: IncidentRow): string {
  const parts = [`${one.members} 位顾客`];
  if (one.proposed) parts.push(`${one.proposed} 位待确认`);
  if (one.waiting) parts.push(`${one.waiting} 位还没告诉`);
  if (one.unreachable) parts.push(`${one.unreachable} 位联系不上`);
  return parts.join("，");
}

/** How a customer stands, in words. */
export function memberWords(one: IncidentMember, at: (iso: string) => string): string {
  switch (one.state) {
    case "waiting":
      return one.due_at ? `${at(one.due_at)} 告诉顾客` : "还没告诉";
    case "told":
      return one.told_at ? `${at(one.told_at)} 先告诉了顾客` : "已先告诉顾客";
    case "joined":
      return "归入";
    case "proposed":
      return "待确认";
    case "unreachable":
      return "联系不上，请同事想办法";
    case "left":
      return "已移出";
  }
}

const OFFERS: Record<string, string> = {
  open: "等顾客回话",
  accepted: "顾客同意了",
  refused: "顾客不要",
  replaced: "已失效",
};

/** What the customer was offered, and what became of it; empty where nothing was. */
export function offerWords(one: IncidentMember): string {
  if (!one.offer) return "";
  const what = one.offer.items.map((item) => item.title).join("、");
  return `${what}（${OFFERS[one.offer.state] ?? one.offer.state}）`;
}

/** Who got a text or an offer. */
export function reachWords(one: IncidentMessage, at: (iso: string) => string): string {
  const parts = [`送到 ${one.told.length} 位`];
  if (one.waiting.length) {
    parts.push(`${one.waiting.length} 位${one.due ? `等到 ${at(one.due)}` : "在路上"}`);
  }
  if (one.left_out.length) parts.push(`${one.left_out.length} 位没有送`);
  return parts.join("，");
}

/** Why each was left out of a text or an offer, the same reasons together. */
export function leftOut(one: IncidentMessage, of: Incident): string[] {
  const names = new Map(of.members_list.map((member) => [member.id, nameOf(member)]));
  const found = new Map<string, string[]>();
  for (const { member, why } of one.left_out) {
    const reason = why ?? "没有送到";
    found.set(reason, [...(found.get(reason) ?? []), names.get(member) ?? "一位顾客"]);
  }
  return [...found].map(([why, who]) => `${who.join("、")}：${why}`);
}

/** What staff call a customer of an incident. */
export const nameOf = (one: IncidentMember): string =>
  one.customer || (one.order ? `订单 ${one.order}` : "不知道是谁");
