import type { FollowUp } from "../../wire/staff";

/** Why it was not asked, or not answered. */
const WHY: Record<string, string> = {
  asked_lately: "这位顾客一周内刚被回访过",
  merged: "已并入另一个案子",
  no_ask: "这样结的案子不回访",
  other_matter: "改问顾客更近的另一件事",
  out_of_reach: "现在没有办法问到顾客",
  refused: "顾客说过不要再回访",
  reopened: "案子又打开了",
  silent: "顾客没有回音",
  staff: "同事取消",
  too_late: "过了该问的时候",
  unreached: "没有联系上",
  wrote_first: "顾客先写来了",
  wrote_other: "顾客没有打分，说了别的",
};

export const RATINGS: readonly [number, string][] = [
  [5, "很满意"],
  [4, "满意"],
  [3, "一般"],
  [2, "不满意"],
  [1, "很不满意"],
];

const rated = (rating: number): string =>
  RATINGS.find(([number]) => number === rating)?.[1] ?? "";

/**
 * How it stands with a follow-up, in one line.
 *
 * @param at says a moment as its reader would.
 */
export function standing(one: FollowUp, at: (iso: string) => string): string {
  if (one.rating !== null) return `${one.rating}分，${rated(one.rating)}`;
  const why = one.why ? (WHY[one.why] ?? one.why) : "";
  switch (one.state) {
    case "waiting": {
      if (!one.due_at) return "已安排";
      const what = one.by_person ? "提醒同事回访" : one.round > 1 ? "再问一次" : "自动回访";
      return `${at(one.due_at)} ${what}`;
    }
    case "asked":
      if (one.by_person) return "该打回访电话了";
      return one.round > 1 ? "问过两次，等顾客回音" : "已经问了顾客，等回音";
    case "ended":
      return `已结束：${why || "没有结果"}`;
    case "cancelled":
      return `不回访：${why || "已取消"}`;
    default:
      return one.refused ? `不回访：${WHY["refused"]}` : "还没有安排，办完以后自动安排";
  }
}

/** Whether a reader has to look: badly rated, or a call is due. */
export const urgent = (one: FollowUp): boolean =>
  (one.rating !== null && one.rating <= 2) || (one.state === "asked" && one.by_person);
