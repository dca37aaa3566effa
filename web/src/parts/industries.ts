/** The trades that a business can be in; any other is shown as the business wrote it. */
const NAMES: Record<string, string> = {
  hotel: "酒店住宿",
  shop: "网上商城",
  restaurant: "餐饮",
  retail: "零售门店",
  property: "物业服务",
  travel: "旅行社",
};

export function industryName(industry: string): string {
  return NAMES[industry] ?? industry;
}

/** All that have a name. */
export const INDUSTRIES: readonly string[] = Object.keys(NAMES);
