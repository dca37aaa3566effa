import type { Advice, KindOfRemedy, Wish } from "../../wire/staff";
import { basisPointsOf, fenOf, typed, wholeOf } from "./money";

/** The most remedies that one offer holds. */
export const MOST_REMEDIES = 10;

/** One remedy as it is being typed. */
export interface Draft {
  kind: string;
  /** As typed, by parameter. */
  values: Record<string, string>;
  /** Which of two parameters is used, where either says the same thing; see `eitherOf`. */
  by: string | null;
  /** Of the policy alone, as the law has it: left out or left as it is, never typed. */
  fixed?: { title: string; wish: Wish };
}

type Parameter = KindOfRemedy["parameters"][number];

const READERS: Record<string, (text: string) => number | null> = {
  fen: fenOf,
  bp: basisPointsOf,
};

const LABELS: Record<string, string> = { fen: "金额（元）", bp: "比例（%）" };
const ERRORS: Record<string, string> = {
  fen: "请写金额，最多两位小数，比如 15 或 15.50",
  bp: "请写百分比，比如 15 或 12.5",
};

/** Sums are typed in yuan and shares in percent, whatever the desk counts in. */
export const parameterLabel = (parameter: Parameter): string =>
  LABELS[parameter.name] ?? parameter.label;

/** What to say of a value that cannot be read. */
export const parameterError = (parameter: Parameter): string =>
  ERRORS[parameter.name] ?? `请写${parameter.label}，要是整数`;

/** The optional parameters of which exactly one is given: a sum, or a share of what was paid. */
export function eitherOf(kind: KindOfRemedy): Parameter[] {
  const optional = kind.parameters.filter((one) => one.optional);
  return optional.length > 1 ? optional : [];
}

/** The parameters that are asked for as the draft stands. */
export function asked(kind: KindOfRemedy, draft: Draft): Parameter[] {
  const either = eitherOf(kind);
  return kind.parameters.filter((one) => !either.includes(one) || one.name === draft.by);
}

/** The whole number that was typed for a parameter; null where there is none that can be read. */
export function valueOf(draft: Draft, parameter: Parameter): number | null {
  return (READERS[parameter.name] ?? wholeOf)(draft.values[parameter.name] ?? "");
}

/** A draft of a kind, empty or as a remedy of the policy has it. */
export function draftOf(kind: KindOfRemedy, wish?: Wish): Draft {
  const either = eitherOf(kind);
  const values: Record<string, string> = {};
  for (const { name } of kind.parameters) {
    const held = wish?.[name];
    if (typeof held === "number") values[name] = name in READERS ? typed(held) : String(held);
  }
  const by = either.find((one) => one.name in values) ?? either.find((one) => one.name === "fen");
  return { kind: kind.kind, values, by: (by ?? either[0])?.name ?? null };
}

/** What the policy gives, to be changed; a kind that staff cannot wish for stays as it is. */
export function draftsOf(items: Advice["items"], kinds: readonly KindOfRemedy[]): Draft[] {
  return items.flatMap(({ wish, title }) => {
    if (!wish) return [];
    const kind = kinds.find((one) => one.kind === wish.kind);
    if (kind) return [draftOf(kind, wish)];
    return [{ kind: wish.kind, values: {}, by: null, fixed: { title, wish } }];
  });
}

/** The drafts as the desk takes them; null while something is missing. */
export function wishesOf(drafts: readonly Draft[], kinds: readonly KindOfRemedy[]): Wish[] | null {
  const wishes: Wish[] = [];
  for (const draft of drafts) {
    if (draft.fixed) {
      wishes.push(draft.fixed.wish);
      continue;
    }
    const kind = kinds.find((one) => one.kind === draft.kind);
    if (!kind) return null;
    const wish: Wish = { kind: draft.kind };
    for (const parameter of asked(kind, draft)) {
      const value = valueOf(draft, parameter);
      if (value === null) {
        const left = (draft.values[parameter.name] ?? "").trim() === "";
        if (parameter.optional && left && eitherOf(kind).length === 0) continue;
        return null;
      }
      wish[parameter.name] = value;
    }
    wishes.push(wish);
  }
  return wishes.length ? wishes : null;
}
