/** The trades that the pages have words for; any other is shown as the business wrote it. */
const NAMES: Record<string, string> = {
  hotel: "酒店住宿",
  shop: "网上商城",
  catering: "餐饮",
  travel: "旅行",
  telecom: "通信",
  airline: "航空",
  logistics: "物流快递",
};

export function industryName(industry: string): string {
  return NAMES[industry] ?? industry;
}
