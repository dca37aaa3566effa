import type { Row } from "../../wire/staff";
import { readRunning } from "../clocks";

/** How soon somebody has to look at a row: the smaller the sooner; null: not at all now. */
function urgency(row: Row, now: number): number | null {
  if (row.closed_at || row.owner === "bot") return null;
  if (row.safety) return 0;
  const light = row.clock ? readRunning(row.clock, now)?.light : undefined;
  if (light === "over") return 1;
  if (light === "red") return 2;
  if (row.owner === "queue" && row.anger >= 2) return 3;
  return null;
}

/** What a supervisor looks at first: danger, missed and red clocks, the angry in the queue. */
export function urgentRows(rows: Iterable<Row>, now: number, most: number): Row[] {
  const found: { row: Row; rank: number }[] = [];
  for (const row of rows) {
    const rank = urgency(row, now);
    if (rank !== null) found.push({ row, rank });
  }
  found.sort(
    (one, other) =>
      one.rank - other.rank ||
      other.row.priority - one.row.priority ||
      (one.row.clock?.due_at ?? "9").localeCompare(other.row.clock?.due_at ?? "9") ||
      one.row.id.localeCompare(other.row.id),
  );
  return found.slice(0, most).map((one) => one.row);
}
