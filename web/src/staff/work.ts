import { beginAttention } from "./attention";
import { live } from "./useLive";
import { useRows } from "./useRows";
import { useSession } from "./useSession";

let end: (() => void) | null = null;

/**
 * Begins what goes on behind all staff pages while somebody is logged in: the live connection, the
 * rows, the call for attention. Ends by itself when they leave; called twice, it is one beginning.
 */
export function beginWork(): void {
  const session = useSession();
  if (end || !session.me.value || session.me.value.must_change) return;
  live.start();
  useRows().start();
  const still = beginAttention();
  const off = session.onLeave(() => {
    still();
    off();
    end = null;
  });
  end = still;
}
