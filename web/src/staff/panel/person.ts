/** Words of the block about a customer's identities and cases. */
import type { CaseStep } from "../../wire/staffPersons";

const IDENTITIES: Record<string, string> = {
  web: "网页",
  wechat: "微信",
  site: "网站账号",
  webhook: "其他渠道",
};

export const identityWords = (channel: string): string => IDENTITIES[channel] ?? channel;

/** What staff have made of two cases, and why. */
export function stepWords(step: CaseStep): string {
  const what =
    step.kind === "merge" ? `并入了${step.matter || "另一个案子"}` : "拆出了一个新案子";
  return `${what}：${step.reason}`;
}
