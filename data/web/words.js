// What the page says, in its languages.
const words = {
	en: {
		title: "Who serves DeepSeek best?", skip: "Skip to the table", model: "Model", currency: "Currency",
		stat: "Statistic", range: "Time range", language: "Language", avg: "average", median: "median", all: "all",
		day: "24 hours", week: "7 days", month: "30 days", quarter: "90 days", providers: "Providers",
		hint: "Click a heading to sort. The best value of a column is bold; point at a value for its interval and sample size.",
		ranking: "Your requirement", filters: "Filters: all must hold", order: "Order: the first decides, then the next",
		add_filter: "Add a filter", add_order: "Add an order", export: "Save as requirement.json", matched: "Best first",
		rejected: "Left out", charts: "Charts", metric: "Metric over time",
		pareto: "Price and speed, with the best trade-offs",
		spread: "Time to first token: 5%, quarter, half, three quarters, 95%",
		provider: "provider", input_price: "input price", output_price: "output price", gpqa: "GPQA", aime2024: "AIME 2024",
		ceval: "C-Eval", success: "success", otpr: "output length, tok", otps: "output, tok/s", ttft: "TTFT, s",
		prefill: "prefill, tok/s", decode: "decode, tok/s", remove: "Remove", at_least: "at least", at_most: "at most",
		higher_first: "higher first", usual_order: "better first", none: "none", unknown: "unknown", samples: "samples",
		interval: "95% interval", per_million: "per million tokens", updated: "Results as of", over_time: "over time",
		front: "best trade-offs", filter: "Filter", nothing: "No results are stored yet: dsr-run perf and eval make some.",
	},
	zh: {
		title: "谁的 DeepSeek 服务最好？", skip: "跳到表格", model: "模型", currency: "货币", stat: "统计量", range: "时间范围",
		language: "语言", avg: "平均", median: "中位数", all: "全部", day: "24 小时", week: "7 天", month: "30 天",
		quarter: "90 天", providers: "服务商", hint: "点击表头排序。每列最佳值加粗；将指针停在数值上可看置信区间和样本数。",
		ranking: "您的要求", filters: "过滤条件：须全部满足", order: "排序：依次比较", add_filter: "添加过滤条件",
		add_order: "添加排序", export: "保存为 requirement.json", matched: "由优到劣", rejected: "未入选", charts: "图表",
		metric: "随时间变化的指标", pareto: "价格与速度，及最优折中", spread: "首 token 时间：5%、四分之一、一半、四分之三、95%",
		provider: "服务商", input_price: "输入价格", output_price: "输出价格", gpqa: "GPQA", aime2024: "AIME 2024",
		ceval: "C-Eval", success: "成功率", otpr: "输出长度", otps: "输出 token/秒", ttft: "首 token（秒）",
		prefill: "预填充 token/秒", decode: "解码 token/秒", remove: "删除", at_least: "至少", at_most: "至多",
		higher_first: "高者在前", usual_order: "优者在前", none: "无", unknown: "未知", samples: "样本数",
		interval: "95% 区间", per_million: "每百万 token", updated: "数据时间", over_time: "随时间变化", front: "最优折中",
		filter: "过滤", nothing: "尚无结果：请先运行 dsr-run perf 和 eval。",
	},
};

let language = navigator.language.startsWith("zh") ? "zh" : "en";
export const currentLanguage = () => language;
export const word = (key) => words[language][key] ?? key;

export function speak(name) {
	language = name;
	document.documentElement.lang = name;
	document.title = word("title");
	for (const e of document.querySelectorAll("[data-word]")) e.textContent = word(e.dataset.word);
}
