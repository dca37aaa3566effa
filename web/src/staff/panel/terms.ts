/** What short names of a case are called in its panel. */
import type { RemedyRequest, RemedyState } from "../../wire/staff";

const REQUESTS: Record<RemedyRequest["state"], string> = {
  open: "等经理决定",
  granted: "已批准",
  refused: "已驳回",
  withdrawn: "已撤回",
};

const REMEDIES: Record<RemedyState["state"], string> = {
  todo: "正在办",
  done: "已办好",
  refused: "订单系统办不了",
  failed: "没有办成",
};

const NEEDED: Record<string, string> = { bot: "机器人", agent: "客服", manager: "经理" };

export const requestStateWords = (state: RemedyRequest["state"]): string => REQUESTS[state];
export const remedyStateWords = (state: RemedyState["state"]): string => REMEDIES[state];
/** Whose authority it needs. */
export const neededWords = (authority: string): string =>
  `${NEEDED[authority] ?? authority}权限`;
