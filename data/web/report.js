// Draws the report of a performance run from the JSON beside it.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const steps = data.steps || [data];
const last = steps[steps.length - 1];
const style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue(name).trim();
// told apart with most kinds of colour vision (Okabe and Ito 2008), then by dashes
const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f"];
const hue = (i) => palette[i % palette.length];
const dash = (i) => [[], [7, 4], [2, 3]][Math.floor(i / palette.length) % 3];

function element(name, text, parent, className) {
	const e = document.createElement(name);
	if (text !== undefined && text !== null) e.textContent = text;
	if (className) e.className = className;
	if (parent) parent.append(e);
	return e;
}

const known = (x) => typeof x === "number" && Number.isFinite(x);
const number = (x, digits) => (known(x) ? x.toFixed(digits) : "–");

// head, metric and statistic, digits, whether less is better
const columns = [
	["requests", (p) => p.requests, 0],
	["success", (p) => p.success, 3, false],
	["TTFT median, s", (p) => p.metrics.ttft.median, 3, true],
	["p90", (p) => p.metrics.ttft.p90, 3, true, (p) => p.metrics.ttft.few.includes("p90")],
	["p99", (p) => p.metrics.ttft.p99, 3, true, (p) => p.metrics.ttft.few.includes("p99")],
	["TTFA median, s", (p) => p.metrics.ttfa.median, 3, true],
	["ITL median, ms", (p) => 1e3 * p.metrics.itl.median, 1, true],
	["total median, s", (p) => p.metrics.total.median, 2, true],
	["decode, tok/s", (p) => p.metrics.decode.median, 1, false],
	["all streams, tok/s", (p) => p.output_tokens_per_s, 1, false],
	["output, tok", (p) => p.metrics.otpr.avg, 0],
	[`cost, ${data.currency}`, (p) => p.metrics.cost.avg, 5, true],
];

function interval(metric) {
	const [lo, hi] = metric.ci95;
	return known(lo) ? `mean ${number(metric.avg, 3)}, 95% ${number(lo, 3)} to ${number(hi, 3)}, n ${metric.n}` : "";
}

function table(parent, step) {
	const rows = step.providers;
	const heads = columns.concat(rows[0] && rows[0].goodput ? [["goodput", (p) => p.goodput.share, 3, false]] : []);
	const box = element("div", null, parent, "scroll");
	box.tabIndex = 0;
	const t = element("table", null, box);
	const head = element("tr", null, element("thead", null, t));
	element("th", "provider", head).scope = "col";
	for (const c of heads) element("th", c[0], head).scope = "col";
	element("th", "errors", head).scope = "col";
	const best = heads.map(([, read, , low]) => {
		const all = rows.map(read).filter(known);
		return low === undefined || all.length < 2 ? null : low ? Math.min(...all) : Math.max(...all);
	});
	const body = element("tbody", null, t);
	for (const p of rows) {
		const row = element("tr", null, body);
		element("th", p.provider, row).scope = "row";
		heads.forEach(([, read, digits, , few], i) => {
			const mark = few && few(p) && known(read(p)) ? "~" : "";
			const cell = element("td", mark + number(read(p), digits), row, read(p) === best[i] ? "best" : "");
			if (i === 2) cell.title = interval(p.metrics.ttft);
		});
		const errors = Object.entries(p.errors).map(([name, n]) => `${name}: ${n}`);
		element("td", errors.join(", ") || "–", row, "text");
	}
}

Chart.defaults.color = colour("--faint");
Chart.defaults.borderColor = colour("--line");
Chart.defaults.font.family = "system-ui, sans-serif";
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;

function chart(parent, title, config) {
	const figure = element("figure", null, parent);
	element("figcaption", title, figure);
	const canvas = element("canvas", null, element("div", null, figure, "plot"));
	canvas.setAttribute("role", "img");
	canvas.setAttribute("aria-label", title);
	return new Chart(canvas, config);
}

const axis = (title, more) => ({ title: { display: true, text: title }, ...more });

// one line for each provider; points(p) gives [{x, y}...]
function lines(parent, title, x, y, points, more = {}) {
	const datasets = last.providers.map((p, i) => ({
		label: p.provider,
		data: points(p).filter((q) => known(q.x) && known(q.y) && (!more.log || q.x > 0)),
		borderColor: hue(i),
		backgroundColor: hue(i),
		borderDash: dash(i),
		borderWidth: 2,
		pointRadius: more.points ? 3 : 0,
		stepped: more.stepped || false,
	})).filter((d) => d.data.length);
	if (!datasets.length) return;
	chart(parent, title, {
		type: "line",
		data: { datasets },
		options: {
			scales: {
				x: axis(x, { type: more.log ? "logarithmic" : "linear" }),
				y: axis(y, { beginAtZero: true }),
			},
			interaction: { mode: "nearest", intersect: false },
		},
	});
}

function bars(parent, title, y, names, read) {
	chart(parent, title, {
		type: "bar",
		data: {
			labels: last.providers.map((p) => p.provider),
			datasets: names.map((name, i) => ({
				label: name,
				data: last.providers.map((p) => read(p, name)),
				backgroundColor: hue(i),
			})),
		},
		options: { scales: { y: axis(y, { beginAtZero: true }) } },
	});
}

function errors(parent) {
	const minutes = [...new Set(last.providers.flatMap((p) => p.minutes.map((m) => m.minute)))].sort();
	const kinds = [...new Set(last.providers.flatMap((p) => Object.keys(p.errors)))].sort();
	if (!kinds.length) return;
	const count = (minute, kind) => last.providers.reduce((sum, p) => sum +
		p.minutes.filter((m) => m.minute === minute).reduce((s, m) => s + (m.errors[kind] || 0), 0), 0);
	chart(parent, "Errors by minute, all providers", {
		type: "bar",
		data: {
			labels: minutes.map((m) => m.slice(11, 16)),
			datasets: kinds.map((kind, i) => ({
				label: kind,
				data: minutes.map((m) => count(m, kind)),
				backgroundColor: hue(i),
			})),
		},
		options: { scales: { x: { stacked: true }, y: axis("errors", { stacked: true, beginAtZero: true }) } },
	});
}

function scatter(parent) {
	const found = last.providers.map((p, i) => ({ ...p, i })).filter((p) => known(p.metrics.cost.avg) && known(p.metrics.decode.median));
	if (!found.length) return;
	chart(parent, "Speed and cost", {
		type: "scatter",
		data: {
			datasets: found.map((p) => ({
				label: p.provider,
				data: [{ x: p.metrics.cost.avg, y: p.metrics.decode.median }],
				backgroundColor: hue(p.i),
				pointStyle: ["circle", "rect", "triangle"][Math.floor(p.i / palette.length) % 3],
				pointRadius: 6,
			})),
		},
		options: {
			scales: {
				x: axis(`cost of a request, ${data.currency}`, { beginAtZero: true }),
				y: axis("decode, tok/s", { beginAtZero: true }),
			},
		},
	});
}

function over(p, key) {
	return p.timeline[key].map((y, i) => ({ x: i * p.timeline.step_s, y }));
}

function sweep(parent) {
	const of = (code, read) => steps.map((s) => {
		const p = s.providers.find((q) => q.provider === code);
		return { x: s.concurrency, y: p ? read(p) : null };
	});
	lines(parent, "Throughput by requests at once", "requests at once", "tok/s, all streams",
		(p) => of(p.provider, (q) => q.output_tokens_per_s), { points: true });
	lines(parent, "TTFT p90 by requests at once", "requests at once", "s",
		(p) => of(p.provider, (q) => q.metrics.ttft.p90), { points: true });
}

function draw() {
	const page = document.getElementById("page");
	document.getElementById("about").textContent = `${data.model}, job ${data.job}`;
	if (!data.loop.credible) {
		const doubt = document.getElementById("doubt");
		doubt.hidden = false;
		doubt.textContent = "The measuring machine was too slow for these figures to be believed: " +
			`1 in 100 tokens may have waited ${number(1e3 * data.loop.wait_p99, 1)} ms or more. Don't believe differences as small as that.`;
	}
	for (const step of steps) {
		element("h2", step.concurrency ? `Requests at once: ${step.concurrency}` : "Providers", page);
		table(page, step);
	}
	element("p", "~ stands on too few samples: p90 needs 10, p99 needs 100.", page, "faint");
	element("h2", "Charts", page);
	const charts = element("div", null, page, "charts");
	if (data.steps) sweep(charts);
	bars(charts, "Time to first token", "s", ["median", "p90", "p99"], (p, s) => p.metrics.ttft[s]);
	lines(charts, "Share of requests with a first token within", "s", "%",
		(p) => p.curves.ttft.map((x, i) => ({ x, y: i })), { log: true });
	lines(charts, "Share of gaps between tokens up to", "ms", "%",
		(p) => p.curves.itl.map((x, i) => ({ x: known(x) ? 1e3 * x : null, y: i })).slice(1), { log: true });
	lines(charts, "Output over the run", "s", "tok/s", (p) => over(p, "tokens_per_s"));
	lines(charts, "Requests under way", "s", "requests", (p) => over(p, "in_flight"), { stepped: true });
	scatter(charts);
	errors(charts);
	document.documentElement.dataset.charts = document.querySelectorAll("canvas").length;
}

draw();
