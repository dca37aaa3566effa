import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/styles/tokens.css", "utf8");

/** The colours by name: for light where `side` is 0, for dark where it is 1. */
function colours(side: 0 | 1): Map<string, string> {
  const pairs = css.matchAll(/--([\w-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g);
  return new Map(Array.from(pairs, ([, name, ...both]) => [name ?? "", both[side] ?? ""]));
}

/** Relative luminance of `#rrggbb`, as WCAG 2.2 defines it. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const part = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

function contrast(one: string, other: string): number {
  const [bright, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return ((bright ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

const GROUNDS = ["ground", "surface", "sunken"];
const TEXTS: [string, string[]][] = [
  ["ink", GROUNDS],
  ["ink-soft", GROUNDS],
  ["accent", ["ground", "surface"]],
  ["warm", ["ground", "surface"]],
  ["danger", ["ground", "surface", "warm-soft"]],
  ["on-accent", ["accent", "accent-strong"]],
  ["on-accent-soft", ["accent-soft"]],
  ["on-warm", ["warm", "warm-strong"]],
  ["on-warm-soft", ["warm-soft"]],
  ["on-danger-soft", ["danger-soft"]],
  ["on-good-soft", ["good-soft"]],
  ["on-blue-soft", ["blue-soft"]],
  ["on-purple-soft", ["purple-soft"]],
  ["ground", ["danger"]],
  ["ink-soft", ["accent-soft"]],
  ...[0, 1, 2, 3].map((level): [string, string[]] => [`on-anger-${level}`, [`anger-${level}-soft`]]),
];
const LINES: [string, string[]][] = [
  ["control", GROUNDS],
  ["focus", [...GROUNDS, "accent-soft", "warm-soft"]],
];

const SCHEMES = [
  ["light", colours(0)],
  ["dark", colours(1)],
] as const;

describe.each(SCHEMES)("%s colours", (_, scheme) => {
  const least = (pairs: [string, string[]][], ratio: number): void => {
    for (const [front, grounds] of pairs) {
      for (const ground of grounds) {
        const found = contrast(scheme.get(front) ?? "", scheme.get(ground) ?? "");
        expect(found, `${front} on ${ground}`).toBeGreaterThanOrEqual(ratio);
      }
    }
  };

  it("of text reach 4.5 to 1", () => least(TEXTS, 4.5));
  it("of controls and focus reach 3 to 1", () => least(LINES, 3));
});
