import type { AngerPoint } from "../../wire/staff";
import type { ChatEvent } from "../../wire/contract";
import { angerWords } from "../words";

/** The first message at the highest level, where that is any anger at all; null for calm ones. */
export function peakOf(points: readonly AngerPoint[]): AngerPoint | null {
  let peak: AngerPoint | null = null;
  for (const point of points) {
    if (point.level > (peak?.level ?? 0)) peak = point;
  }
  return peak;
}

/** Where anger rose and fell again: worth a word on the curve. */
export function turns(points: readonly AngerPoint[]): number[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1]?.level ?? 0;
    const after = points.slice(index).find((one) => one.level !== point.level)?.level ?? -1;
    return point.level >= 2 && before < point.level && after < point.level ? [index] : [];
  });
}

/** The curve in a sentence, for who does not see it. */
export function curveWords(points: readonly AngerPoint[], at: (iso: string) => string): string {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return "还没有测到情绪。";
  const peak = peakOf(points);
  const parts = [`共 ${points.length} 句，开头${angerWords(first.level)}`];
  if (peak) parts.push(`${at(peak.at)} 最高，${angerWords(peak.level)}`);
  parts.push(`最近一句${angerWords(last.level)}`);
  return `${parts.join("；")}。`;
}

/** The beginning of what was said in a message, by its event's id. */
export function openings(events: readonly ChatEvent[], length = 16): Map<string, string> {
  const found = new Map<string, string>();
  for (const event of events) {
    if (event.kind !== "message") continue;
    const whole = [...(event.picture ? "（图片）" : event.text)];
    const cut = whole.slice(0, length).join("");
    found.set(event.id, whole.length > length ? `${cut}…` : cut);
  }
  return found;
}
