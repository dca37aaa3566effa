import type { Clock, ClockKind } from "../wire/staff";

/** How near a clock is to its end; amber comes before red, red before it is missed. */
export type Light = "green" | "amber" | "red" | "over" | "still" | "good";

export interface Reading {
  light: Light;
  /** `还剩 10 分钟`. */
  words: string;
  /** The same where there is room for a few characters: `剩10分`. */
  short: string;
}

const CLOCKS: Record<ClockKind, string> = {
  first_response: "首次回应",
  next_response: "下次回应",
  resolution: "解决",
};
const MINUTE = 60_000;

export const clockWords = (kind: ClockKind): string => CLOCKS[kind] ?? "时限";

/** Roughly how long, in words; shorter than a minute counts as one. */
export function spanWords(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / MINUTE));
  if (minutes < 60) return `${minutes} 分钟`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} 小时 ${minutes % 60} 分` : `${hours} 小时`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} 天 ${hours % 24} 小时` : `${days} 天`;
}

/** The largest unit alone. */
function shortSpan(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / MINUTE));
  if (minutes < 60) return `${minutes}分`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours}小时` : `${Math.floor(hours / 24)}天`;
}

/** What a clock says. */
export function readClock(clock: Clock, now: number): Reading {
  if (clock.state === "hit") return { light: "good", words: "按时做到", short: "做到" };
  if (clock.state === "missed" && clock.due_at === null) {
    return { light: "over", words: "没有按时做到", short: "超时" };
  }
  if (clock.paused || clock.due_at === null) {
    return { light: "still", words: "暂停计时", short: "暂停" };
  }
  const due = Date.parse(clock.due_at);
  const rest = due - now;
  if (rest <= 0) {
    return { light: "over", words: `超时 ${spanWords(-rest)}`, short: `超时${shortSpan(-rest)}` };
  }
  const warn = clock.warn_at === null ? due : Date.parse(clock.warn_at);
  // As long before the warning as the warning comes before the end.
  const light = now >= warn ? "red" : now >= warn - (due - warn) ? "amber" : "green";
  return { light, words: `还剩 ${spanWords(rest)}`, short: `剩${shortSpan(rest)}` };
}

/** The same for a clock that something is still owed by; null for every other. */
export function readRunning(clock: Clock, now: number): Reading | null {
  const ended = clock.state === "hit" || clock.state === "missed";
  return ended || clock.due_at === null ? null : readClock(clock, now);
}

/** Whether it has to be looked at now. */
export const pressing = (light: Light | undefined): boolean => light === "red" || light === "over";
