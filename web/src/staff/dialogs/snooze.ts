/** Until when something may be put aside with one press. */
export interface Preset {
  label: string;
  until: (now: Date) => Date;
}

export const PRESETS: readonly Preset[] = [
  { label: "15 分钟", until: (now) => new Date(now.getTime() + 15 * 60_000) },
  { label: "1 小时", until: (now) => new Date(now.getTime() + 60 * 60_000) },
  {
    label: "明早 9 点",
    // By the reader's clock, also over a night in which it is changed.
    until: (now) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 9),
  },
];

/** A time as an `<input type="datetime-local">` writes it, in the reader's zone. */
export function localInput(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
