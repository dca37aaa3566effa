import type { Counts, DataRequest, Retention } from "../../wire/privacy";

const DAY_MS = 24 * 3600 * 1000;

const KINDS: Record<DataRequest["kind"], string> = {
  export: "导出",
  erase: "删除",
  retain: "按期限清理",
};
const BY: Record<DataRequest["asked_by"], string> = {
  customer: "顾客自己",
  staff: "同事",
  desk: "系统",
};
const TABLES: Record<string, string> = {
  persons: "人",
  customers: "身份",
  conversations: "会话",
  cases: "案子",
  inbox: "顾客的话",
  outbox: "显示过的消息",
  pictures: "图片",
  notes: "备注",
  decisions: "方案",
  fulfilments: "补救",
  audit_log: "审计细节",
};
const KEPT: [keyof Retention, string, string][] = [
  ["conversations_days", "对话和顾客的身份", "最后一句话、案子结束以后"],
  ["pictures_days", "图片", "发来以后"],
  ["wechat_days", "微信等渠道的收发原件", "收发以后"],
  ["trackers_days", "机器人对会话的记忆", "最后一句话以后"],
  ["logs_days", "核对失败、合并码、通知", "发生以后"],
  ["audit_days", "审计的细节（谁做了什么一直保留）", "发生以后"],
];

export const kindWords = (one: DataRequest): string => KINDS[one.kind];
export const askedByWords = (one: DataRequest): string => BY[one.asked_by];

/** How a request stands, in words. */
export function stateWords(one: DataRequest): string {
  if (one.state === "refused") return one.reason ? `没有删：${one.reason}` : "没有删";
  if (one.state === "clearing") return "已删除，正在清理文件";
  if (one.state === "ready") return "等顾客下载";
  if (one.state === "done") return one.kind === "export" ? "已导出" : "已完成";
  return one.waits ? "等补救办完" : "等处理";
}

/** Whole days until an answer is due; below zero: it is late. */
export const daysLeft = (due: string, now: number): number =>
  Math.ceil((Date.parse(due) - now) / DAY_MS);

export function dueWords(due: string, now: number): string {
  const days = daysLeft(due, now);
  if (days < 0) return `过期${-days}天`;
  return days === 0 ? "今天到期" : `还有${days}天`;
}

/** What was removed or written over, in numbers: the tables that people know by name, then the rest. */
export function countWords(counts: Counts): string {
  const known = Object.entries(counts).filter(([name]) => name in TABLES);
  const rest = Object.entries(counts)
    .filter(([name]) => !(name in TABLES))
    .reduce((sum, [, number]) => sum + number, 0);
  const parts = known.map(([name, number]) => `${TABLES[name]}${number}`);
  if (rest) parts.push(`其他${rest}`);
  return parts.join("，");
}

/** For how long what is kept, a row each. */
export function keptRows(retention: Retention): { what: string; since: string; long: string }[] {
  return KEPT.map(([name, what, since]) => ({
    what,
    since,
    long: retention[name] ? `${retention[name]}天` : "一直保留",
  }));
}
