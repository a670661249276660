// The dashboard: pickers, table, requirement. Everything it shows comes from /api.
import { currentLanguage, speak, word } from "./words.js";
import { drawPareto, drawSeries, drawSpread } from "./charts.js";

const $ = (id) => document.getElementById(id);
const known = (x) => typeof x === "number" && Number.isFinite(x);

// metric, digits; prices and accuracies have only an average
const columns = [
	["input_price", 2], ["output_price", 2], ["gpqa", 1], ["aime2024", 1], ["ceval", 1], ["success", 3], ["otpr", 0],
	["otps", 1], ["ttft", 3], ["prefill", 0], ["decode", 1],
];
const onlyAverage = new Set(["input_price", "output_price", "gpqa", "aime2024", "ceval", "success"]);
const state = { figures: null, sort: "ttft", up: true, filters: [{ metric: "success", stat: "avg", min: 0.9 }], order: [{ metric: "ttft", stat: "median" }] };

async function get(path, options) {
	const reply = await fetch(path, options);
	const json = await reply.json();
	if (!reply.ok) throw new Error(json.error);
	return json;
}

const query = (more) => new URLSearchParams({ model: $("model").value, currency: $("currency").value, days: $("days").value, ...more });

function element(name, text, parent) {
	const e = document.createElement(name);
	if (text !== undefined) e.textContent = text;
	parent?.append(e);
	return e;
}

const statOf = (metric) => (onlyAverage.has(metric) ? "avg" : $("stat").value);
const valueOf = (p, metric) => p.metrics[metric]?.[statOf(metric)];
const lowIsBetter = (metric) => state.figures.metrics.find((m) => m.metric === metric)?.low_is_better ?? false;
const rows = () => state.figures.providers.map((p) => ({ ...p, label: (currentLanguage() === "zh" && p.name_cn) || p.name }));

function sorted() {
	const { sort, up } = state;
	return rows().sort((a, b) => {
		if (sort === "provider") return (up ? 1 : -1) * a.label.localeCompare(b.label);
		const [x, y] = [valueOf(a, sort), valueOf(b, sort)];
		if (!known(x) || !known(y)) return known(y) - known(x);
		return up ? x - y : y - x;
	});
}

function heading(row, metric) {
	const th = element("th", undefined, row);
	th.scope = "col";
	if (state.sort === metric) th.setAttribute("aria-sort", state.up ? "ascending" : "descending");
	const button = element("button", word(metric), th);
	button.type = "button";
	button.dataset.sort = metric;
	button.addEventListener("click", () => {
		state.up = state.sort === metric ? !state.up : metric === "provider" || lowIsBetter(metric);
		state.sort = metric;
		showTable();
		document.querySelector(`[data-sort="${metric}"]`).focus();
	});
}

function cellOf(row, p, metric, digits, best) {
	const x = valueOf(p, metric), m = p.metrics[metric];
	const cell = element("td", known(x) ? x.toFixed(digits) : "–", row);
	if (known(x) && x === best) cell.className = "best";
	const notes = [];
	if (known(m?.lo95)) notes.push(`${word("interval")}: ${m.lo95.toFixed(digits)} … ${m.hi95.toFixed(digits)}`);
	if (m?.n) notes.push(`${word("samples")}: ${m.n}`);
	if (known(x) && notes.length) cell.title = notes.join("; ");
}

function showTable() {
	const table = $("providers");
	table.replaceChildren();
	const head = element("tr", undefined, element("thead", undefined, table));
	heading(head, "provider");
	for (const [metric] of columns) heading(head, metric);
	const all = sorted(), body = element("tbody", undefined, table);
	const best = Object.fromEntries(columns.map(([metric]) => {
		const values = all.map((p) => valueOf(p, metric)).filter(known);
		return [metric, values.length < 2 ? null : lowIsBetter(metric) ? Math.min(...values) : Math.max(...values)];
	}));
	for (const p of all) {
		const row = element("tr", undefined, body);
		const name = element("th", undefined, row);
		name.scope = "row";
		if (/^https?:/.test(p.homepage)) {
			const link = element("a", p.label, name);
			link.href = p.homepage;
			link.rel = "noopener noreferrer";
		} else name.textContent = p.label;
		for (const [metric, digits] of columns) cellOf(row, p, metric, digits, best[metric]);
	}
}

function select(parent, label, options, value, changed) {
	const e = element("select", undefined, parent);
	e.setAttribute("aria-label", label);
	for (const [code, text] of options) element("option", text, e).value = code;
	e.value = value;
	e.addEventListener("change", () => changed(e.value));
	return e;
}

const metricOptions = () => state.figures.metrics.map((m) => [m.metric, m.metric]);
const statOptions = ["avg", "median", "p90", "p99", "lo95", "hi95"].map((s) => [s, s]);

function ruleRow(parent, list, rule, i) {
	const row = element("div", undefined, parent);
	row.className = "rule";
	const change = (key) => (value) => { rule[key] = value; rank(); };
	select(row, `${word("metric")} ${i + 1}`, metricOptions(), rule.metric, change("metric"));
	select(row, `${word("stat")} ${i + 1}`, statOptions, rule.stat, change("stat"));
	if (list === state.filters) {
		const kind = rule.max !== undefined ? "max" : "min";
		const swap = (to) => { const x = rule.min ?? rule.max; delete rule.min; delete rule.max; rule[to] = x; rank(); };
		select(row, `${word("filter")} ${i + 1}`, [["min", word("at_least")], ["max", word("at_most")]], kind, swap);
		const input = element("input", undefined, row);
		Object.assign(input, { type: "number", step: "any", value: rule[kind] });
		input.setAttribute("aria-label", `${rule.metric} ${word(kind === "min" ? "at_least" : "at_most")}`);
		input.addEventListener("input", () => {
			if (input.value === "") return;
			rule[rule.max !== undefined ? "max" : "min"] = Number(input.value);
			rank();
		});
	}
	const remove = element("button", word("remove"), row);
	remove.type = "button";
	remove.setAttribute("aria-label", `${word("remove")}: ${rule.metric}`);
	remove.addEventListener("click", () => { list.splice(i, 1); showRules(); rank(); });
}

function showRules() {
	for (const [id, list] of [["filters", state.filters], ["orders", state.order]]) {
		$(id).replaceChildren();
		list.forEach((rule, i) => ruleRow($(id), list, rule, i));
	}
}

const requirement = () => ({ filters: state.filters, order: state.order });
const labelOf = (code) => rows().find((p) => p.provider === code)?.label ?? code;
const show = (x) => (known(x) ? Number(x.toPrecision(4)) : word("unknown"));
let asked = 0;

async function rank() {
	const turn = ++asked, error = $("rank-error");
	let result;
	try {
		result = await get(`api/rank?${query()}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(requirement()) });
	} catch (e) {
		error.textContent = e.message;
		error.hidden = false;
		return;
	}
	if (turn !== asked) return; // a later question was asked meanwhile
	error.hidden = true;
	localStorage.setItem("requirement", JSON.stringify(requirement()));
	$("matched").replaceChildren();
	$("rejected").replaceChildren();
	for (const m of result.matched) element("li", `${labelOf(m.provider)}: ${m.why.join("; ")}`, $("matched"));
	for (const r of result.rejected) {
		const why = r.failed.map((f) => `${f.metric} ${f.stat ?? ""} ${show(f.value)} (${word(f.min !== undefined ? "at_least" : "at_most")} ${f.min ?? f.max})`);
		element("li", `${labelOf(r.provider)}: ${why.join(", ")}`, $("rejected"));
	}
	if (!result.matched.length) element("li", word("none"), $("matched"));
}

async function showSeries() {
	const metric = $("metric").value, days = Number($("days").value) || 90;
	const start = new Date(Date.now() - days * 864e5).toISOString();
	const interval = 60 * (days < 7 ? 1 : days < 30 ? 3 : days < 90 ? 12 : 24); // the store has sums of hours and days
	const some = rows().filter((p) => p.requests > 0);
	const all = await Promise.all(some.map(async (p) => ({
		name: p.label,
		points: (await get(`api/query_metric?${query({ provider: p.provider, metric, stat: metric === "success" ? "avg" : $("stat").value, start_time: start, interval })}`)).datapoints,
	})));
	const unit = state.figures.metrics.find((m) => m.metric === metric)?.unit ?? "";
	drawSeries(metric, unit, all);
}

function showAll() {
	showTable();
	showRules();
	drawPareto(rows(), state.figures.currency, $("stat").value);
	drawSpread(rows());
	$("status").textContent = state.figures.providers.some((p) => p.requests)
		? `${word("updated")} ${new Date(state.figures.made).toLocaleString(currentLanguage())}` : word("nothing");
	return Promise.all([rank(), showSeries()]);
}

async function load() {
	delete document.documentElement.dataset.ready;
	try {
		state.figures = await get(`api/figures?${query()}`);
		const currency = $("currency");
		if (currency.options.length !== state.figures.currencies.length) {
			currency.replaceChildren();
			for (const c of state.figures.currencies) element("option", c, currency);
			currency.value = state.figures.currency;
		}
		await showAll();
	} catch (e) {
		$("status").textContent = e.message;
	}
	document.documentElement.dataset.ready = "yes";
}

function save() {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(new Blob([JSON.stringify(requirement(), null, 2)], { type: "application/json" }));
	link.download = "requirement.json";
	link.click();
	URL.revokeObjectURL(link.href);
}

// The requirement of the last visit, if it is one.
function recall() {
	try {
		const kept = JSON.parse(localStorage.getItem("requirement"));
		if (!Array.isArray(kept?.filters) || !Array.isArray(kept.order)) return;
		[state.filters, state.order] = [kept.filters, kept.order];
	} catch {
		localStorage.removeItem("requirement");
	}
}

async function begin() {
	recall();
	speak(currentLanguage());
	$("language").value = currentLanguage();
	for (const metric of ["ttft", "ttfa", "itl", "prefill", "decode", "otps", "otpr", "total", "success"]) element("option", metric, $("metric")).value = metric;
	const { models } = await get("api/list_models");
	for (const m of models) element("option", m.model_name, $("model")).value = m.model_code;
	for (const id of ["model", "currency", "days"]) $(id).addEventListener("change", load);
	$("stat").addEventListener("change", showAll);
	$("metric").addEventListener("change", showSeries);
	$("language").addEventListener("change", () => { speak($("language").value); showAll(); });
	$("add-filter").addEventListener("click", () => { state.filters.push({ metric: "ttft", stat: "p90", max: 10 }); showRules(); rank(); });
	$("add-order").addEventListener("click", () => { state.order.push({ metric: "output_price", stat: "avg" }); showRules(); rank(); });
	$("export").addEventListener("click", save);
	$("pickers").addEventListener("submit", (e) => e.preventDefault());
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => state.figures && showAll());
	await load();
}

begin();
