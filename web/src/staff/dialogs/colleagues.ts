import type { Colleague, Presence } from "../../wire/staff";

const PRESENCE: Record<Presence, number> = { online: 0, busy: 1, away: 2, offline: 3 };

const free = (one: Colleague): number => 1 - one.open / Math.max(1, one.capacity);

/** Who is best placed to take a conversation comes first: there, with room, in the trade. */
export function inOrder(colleagues: readonly Colleague[], industry: string): Colleague[] {
  const knows = (one: Colleague): number => (one.skills.includes(industry) ? 0 : 1);
  return [...colleagues].sort(
    (a, b) =>
      Number(whyNot(a) !== null) - Number(whyNot(b) !== null) ||
      PRESENCE[a.presence] - PRESENCE[b.presence] ||
      knows(a) - knows(b) ||
      free(b) - free(a) ||
      a.id - b.id,
  );
}

/** Why nothing can be handed to a colleague just now; null where it can. */
export function whyNot(one: Colleague): string | null {
  if (one.presence === "offline") return "离线，不能转";
  if (one.open >= one.capacity) return "手上已经满了，不能转";
  return null;
}
