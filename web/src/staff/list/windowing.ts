/** Rows above and below the visible ones that are in the page already. */
const SPARE = 8;

export interface Span {
  /** The first row in the page. */
  first: number;
  /** The row after the last one. */
  end: number;
}

/**
 * Which of many rows of one height stand in the page: those that are seen, and a few around them.
 *
 * @param top how far the list is scrolled, in pixels.
 * @param height of what is seen of it, in pixels.
 * @param row the height of one row, in pixels.
 */
export function spanOf(top: number, height: number, row: number, count: number): Span {
  const seen = Math.ceil(Math.max(0, height) / row) + 1;
  const at = Math.floor(Math.max(0, top) / row);
  const last = Math.max(0, count - 1);
  const first = Math.max(0, Math.min(at, last) - SPARE);
  return { first, end: Math.min(count, at + seen + SPARE) };
}

/** The indices in the page: the span, and one more row that holds the focus wherever it is. */
export function indicesOf(span: Span, held: number, count: number): number[] {
  const indices: number[] = [];
  for (let index = span.first; index < span.end; index += 1) indices.push(index);
  if (held >= 0 && held < span.first) indices.unshift(held);
  else if (held >= span.end && held < count) indices.push(held);
  return indices;
}

/** The row that a key leads to from another; null for a key that leads nowhere. */
export function rowByKey(key: string, from: number, page: number, count: number): number | null {
  if (count === 0) return null;
  const last = count - 1;
  const to: Record<string, number> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    PageDown: from + page,
    PageUp: from - page,
    Home: 0,
    End: last,
  };
  const wanted = to[key];
  return wanted === undefined ? null : Math.max(0, Math.min(last, wanted));
}
