// The charts of the dashboard.
import { word } from "./words.js";

// told apart with most kinds of colour vision (Okabe and Ito 2008), then by dashes
const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b98200", "#3b9dd1", "#8c6bb1", "#7f7f7f"];
const dashes = [[], [7, 4], [2, 3]];
const shapes = ["circle", "rect", "triangle"];
const hue = (i) => palette[i % palette.length];
const round = (i) => Math.floor(i / palette.length) % 3;
const shown = {};

function draw(id, config) {
	const style = getComputedStyle(document.documentElement);
	Chart.defaults.color = style.getPropertyValue("--faint").trim();
	Chart.defaults.borderColor = style.getPropertyValue("--line").trim();
	Chart.defaults.animation = false;
	Chart.defaults.maintainAspectRatio = false;
	shown[id]?.destroy();
	shown[id] = new Chart(document.getElementById(id), config);
}

const axis = (text, more) => ({ title: { display: true, text }, ...more });
const known = (x) => typeof x === "number" && Number.isFinite(x);

// all: [{name, points: [{start_time, values, interval}]}]
export function drawSeries(title, unit, all) {
	const labels = (all[0]?.points ?? []).map((p) => p.start_time.slice(5, 16).replace("T", " "));
	const datasets = [];
	all.forEach(({ name, points }, i) => {
		const line = { borderColor: hue(i), backgroundColor: hue(i), borderDash: dashes[round(i)], spanGaps: true, borderWidth: 2, pointRadius: 2 };
		const band = { borderWidth: 0, pointRadius: 0, spanGaps: true, backgroundColor: `${hue(i)}22`, label: "" };
		datasets.push({ ...line, label: name, data: points.map((p) => p.values[0] ?? null) });
		datasets.push({ ...band, data: points.map((p) => p.interval?.[0] ?? null), fill: false });
		datasets.push({ ...band, data: points.map((p) => p.interval?.[1] ?? null), fill: "-1" });
	});
	document.getElementById("series-title").textContent = `${title} ${word("over_time")}`;
	draw("series", {
		type: "line",
		data: { labels, datasets },
		options: {
			scales: { x: { ticks: { maxTicksLimit: 8 } }, y: axis(unit, { beginAtZero: true }) },
			plugins: { legend: { labels: { filter: (item) => item.text !== "" } } },
		},
	});
}

// Those that no other beats in both price and speed.
function front(points) {
	let best = -Infinity;
	return [...points].sort((a, b) => a.x - b.x || b.y - a.y).filter((p) => p.y > best && ((best = p.y), true));
}

export function drawPareto(rows, currency, stat) {
	const points = rows.map((p, i) => ({
		x: p.metrics.output_price.avg, y: p.metrics.otps[stat], name: p.label, i,
	})).filter((p) => known(p.x) && known(p.y));
	const datasets = points.map((p) => ({
		label: p.name, data: [p], backgroundColor: hue(p.i), pointStyle: shapes[round(p.i)], pointRadius: 6,
	}));
	datasets.push({ label: word("front"), type: "line", data: front(points), borderColor: "#7f7f7f", borderDash: [4, 4], borderWidth: 1.5, pointRadius: 0 });
	draw("pareto", {
		type: "scatter",
		data: { datasets },
		options: {
			scales: {
				x: axis(`${word("output_price")}, ${currency} ${word("per_million")}`, { beginAtZero: true }),
				y: axis(word("otps"), { beginAtZero: true }),
			},
		},
	});
}

export function drawSpread(rows) {
	const some = rows.filter((p) => p.ttft_curve.length);
	const at = (p, q) => p.ttft_curve[q / 5 - 1];
	const bar = (label, from, to, colour) => ({
		label, data: some.map((p) => [at(p, from), at(p, to)]), backgroundColor: colour, grouped: false,
	});
	draw("spread", {
		type: "bar",
		data: {
			labels: some.map((p) => p.label),
			datasets: [
				{ type: "line", label: "50%", data: some.map((p) => at(p, 50)), showLine: false, pointStyle: "line", pointRadius: 9, borderWidth: 3, borderColor: "#d55e00" },
				{ ...bar("25–75%", 25, 75, "#0072b2aa"), barPercentage: 0.6 },
				{ ...bar("5–95%", 5, 95, "#56b4e966"), barPercentage: 0.25 },
			],
		},
		options: { scales: { y: axis(word("ttft"), { beginAtZero: true }) } },
	});
}
