// The recommendation: the verdict, the plan, who to ask and why, and who was left out and why.

import { dealerName } from "./dealer.js";
import { el, fact, number, percent, words } from "./dom.js";

const REASONS = ["known_axe", "market_colour", "relationship", "client_instruction", "information_protection", "dealer_unavailable", "other"];
const COLUMNS = ["#", "Dealer", "Tier", "Score", "Why"];
const MODES = { parallel: "all at once", sequential: "one after another (whisper)", staggered: "one after another, after a delay" };

export function show(target, answer, onStart) {
  const metrics = [...new Set(answer.dealers.flatMap((dealer) => dealer.components.map((part) => part.metric)))];
  const told = (name) => (name in answer.weights ? `${words(name)} ${percent(answer.weights[name])}` : words(name));
  target.replaceChildren(...[
    header(answer),
    el("dl", { class: "facts" },
      fact("Days since last trade", number(answer.liquidity.days_since_last_trade, 1)),
      fact("Share of ADV", percent(answer.liquidity.adv_share)),
      fact("ADV taken from", words(answer.liquidity.adv_basis)),
      fact("Expected cost", `${number(answer.liquidity.expected_cost_bps, 1)} bps`),
      fact("Expected impact", `${number(answer.liquidity.expected_impact_bps, 1)} bps`),
      fact("Mid", number(answer.arrival_mid, 3))),
    list(answer.liquidity.reasons),
    el("h2", {}, "Plan"),
    plan(answer),
    el("h2", {}, `Dealers to ask · ${answer.model}`),
    el("div", { class: "legend" }, metrics.map((name, index) => el("span", { class: `c${index}` }, told(name)))),
    dealers(answer, metrics),
    excluded(answer),
    start(answer, onStart),
  ].filter(Boolean));
  target.hidden = false;
}

function header(answer) {
  const bond = answer.security;
  return el("div", { class: "head" },
    el("h1", {}, `${answer.order.side === "SELL" ? "Sell" : "Buy"} ${number(answer.order.quantity)} ${bond.issuer_name || bond.issuer_id}`),
    el("span", { class: "tag plain" }, bond.cusip || bond.security_id),
    el("span", { class: "tag plain" }, words(bond.scorecard_class)),
    el("span", { class: "tag plain" }, bond.rating ? bond.rating.replace("_PLUS", "+").replace("_MINUS", "-") : "not rated"),
    el("span", { class: `tag ${answer.liquidity.illiquid ? "warn" : ""}` }, answer.liquidity.illiquid ? "illiquid" : "liquid"));
}

const list = (sentences) => sentences.length ? el("ul", { class: "plain-list" }, sentences.map((text) => el("li", {}, text))) : null;

function plan(answer) {
  const { mode, timeout_s, delay_s, max_dealers, competitive_within_bps } = answer.plan;
  const parts = [MODES[mode], `${timeout_s} s to answer`];
  if (delay_s !== null) parts.push(`${delay_s} s between dealers`);
  if (max_dealers !== null) parts.push(`at most ${max_dealers} dealers`);
  if (competitive_within_bps !== null) parts.push(`competitive within ${competitive_within_bps} bps`);
  const rules = answer.matched_rules.map((rule) => el("li", {}, el("strong", {}, rule.id), ` (${rule.kind}): `, el("code", {}, rule.why)));
  return el("div", {}, parts.map((text) => [el("span", { class: "tag" }, text), " "]), rules.length ? el("ul", { class: "plain-list" }, rules) : null, list(answer.notes));
}

function dealers(answer, metrics) {
  const most = Math.max(...answer.dealers.map((dealer) => dealer.score), 0.001);
  const rows = answer.dealers.map((dealer) => el("tr", {},
    el("td", { class: "number" }, dealer.rank),
    el("td", {}, dealerName(dealer, COLUMNS.length), " ", el("span", { class: "muted" }, dealer.dealer_id),
      dealer.axe ? [" ", el("span", { class: "tag" }, "axe")] : null),
    el("td", {}, dealer.tier ? el("span", { class: "tag plain" }, `Tier ${dealer.tier}`) : ""),
    el("td", {}, el("strong", {}, dealer.score.toFixed(3)), bar(dealer, metrics, most)),
    el("td", { class: "reason" }, dealer.reason)));
  if (!rows.length) return el("p", { class: "error" }, "Nobody may be asked for this order; the list below says why.");
  return el("table", {}, el("thead", {}, el("tr", {}, COLUMNS.map((title) => el("th", { class: title === "#" ? "number" : null }, title)))), el("tbody", {}, rows));
}

function bar(dealer, metrics, most) {
  const box = el("div", { class: "parts", title: dealer.components.map((part) => `${words(part.metric)} ${part.contribution.toFixed(3)}`).join(", ") });
  for (const part of dealer.components) {
    const piece = el("i", { class: `c${metrics.indexOf(part.metric)}` });
    piece.style.width = `${(Math.max(part.contribution, 0) / most) * 100}%`;
    box.append(piece);
  }
  return box;
}

function excluded(answer) {
  const rows = answer.excluded.map((item) => el("tr", {},
    el("td", { class: "dealer" }, item.dealer_id),
    el("td", {}, el("span", { class: `tag ${["pick", "max_dealers"].includes(item.gate) ? "plain" : "bad"}` }, words(item.gate))),
    el("td", { class: "reason" }, item.reason)));
  return el("details", {}, el("summary", {}, `Left out, and why (${rows.length})`), el("table", {}, el("tbody", {}, rows)));
}

function start(answer, onStart) {
  const recommended = answer.dealers.map((dealer) => dealer.dealer_id);
  const names = el("input", { value: recommended.join(", "), "aria-describedby": "override-hint" });
  const reason = el("select", { disabled: true }, REASONS.map((code) => el("option", { value: code }, words(code))));
  const comment = el("input", { disabled: true, maxlength: 2000, placeholder: "needed when the list differs" });
  const chosen = () => names.value.split(",").map((name) => name.trim()).filter(Boolean);
  const differs = () => chosen().join() !== recommended.join();
  names.addEventListener("input", () => { reason.disabled = comment.disabled = !differs(); });
  const button = el("button", { type: "submit" }, "Start RFQ");
  const submit = (event) => {
    event.preventDefault();
    const override = differs() ? { dealers: chosen(), reason_code: reason.value, comment: comment.value } : null;
    onStart(answer, override, button);
  };
  return el("form", { class: "start", onsubmit: submit },
    el("label", { id: "override-hint" }, "Ask, in this order", names),
    el("label", {}, "Reason for another list", reason),
    el("label", {}, "Comment", comment),
    button);
}
