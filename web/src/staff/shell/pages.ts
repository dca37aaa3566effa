import { computed, type ComputedRef } from "vue";
import { staffRoutes } from "../../staffRoutes";
import { useTitle } from "../../parts/heading";
import { useSession } from "../useSession";

export interface NavPage {
  name: string;
  label: string;
}

const ORDER = [
  "staff",
  "staff-board",
  // Who makes accounts begins with them.
  "staff-accounts",
  "staff-insights",
  "staff-requests",
  "staff-incidents",
  "staff-drills",
  "staff-words",
  "staff-privacy",
  "staff-audit",
];

/** The pages that the member may open, in the order of the nav; the own account stands apart. */
export function usePages(): ComputedRef<NavPage[]> {
  const session = useSession();
  const known = new Map(staffRoutes.map((route) => [route.name as string, route.meta]));
  return computed(() =>
    ORDER.flatMap((name) => {
      const meta = known.get(name);
      if (meta?.act && !session.may(meta.act)) return [];
      return [{ name, label: meta?.label ?? "" }];
    }),
  );
}

/** The window's title of a page beside the conversations: what waits there shows before it. */
export function useStaffTitle(title: string): void {
  const { badge } = useSession();
  useTitle(() => `${badge.value ? `(${badge.value}) ` : ""}${title} · 回心`);
}
