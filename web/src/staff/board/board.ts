import type { Board } from "../../wire/staff";

type Agent = Board["agents"][number];

/** A length of time in a few words, from seconds. */
export function lasting(seconds: number): string {
  const minutes = Math.floor(Math.max(0, seconds) / 60);
  if (minutes < 1) return seconds > 0 ? "不到1分钟" : "没有";
  if (minutes < 60) return `${minutes}分钟`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)}天${hours % 24 ? `${hours % 24}小时` : ""}`;
  return minutes % 60 ? `${hours}小时${minutes % 60}分` : `${hours}小时`;
}

const HERE: Record<string, number> = { online: 0, busy: 1, away: 2, offline: 3 };

/** Who needs looking after comes first: red clocks, then silence, then who is here. */
export function agentsInOrder(agents: readonly Agent[]): Agent[] {
  return [...agents].sort(
    (one, other) =>
      other.red - one.red ||
      Number(other.open > 0) - Number(one.open > 0) ||
      (HERE[one.presence] ?? 9) - (HERE[other.presence] ?? 9) ||
      other.longest_silence_seconds - one.longest_silence_seconds ||
      one.name.localeCompare(other.name, "zh-CN"),
  );
}

/** `14时` of an hour as the desk gives it: an ISO time, or a bare hour. */
export function hourWords(hour: string): string {
  const found = /T(\d{2})/.exec(hour) ?? /^(\d{1,2})/.exec(hour);
  return found ? `${Number(found[1])}时` : hour;
}

/** How full somebody is, between 0 and 1. */
export const load = (agent: Pick<Agent, "open" | "capacity">): number =>
  agent.capacity > 0 ? Math.min(1, agent.open / agent.capacity) : agent.open > 0 ? 1 : 0;
