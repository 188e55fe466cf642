// A dealer's card, opened under its row: what is on record of it, how its axes came true, and its scorecard in each class.

import { get } from "./api.js";
import { el, number, percent, words } from "./dom.js";

const COLUMNS = ["Class", "Tier", "RFQs", "Answered", "Won", "Price against mid", "Reversion", "Seconds to quote"];

// The button that stands for the dealer's name; the card is fetched when it is first opened.
export function dealerName(dealer, columns) {
  const place = el("tr", { class: "card-row", hidden: true });
  const button = el("button", { type: "button", class: "link dealer", "aria-expanded": "false", title: "What is on record of this dealer" }, dealer.name);
  button.addEventListener("click", async () => {
    place.hidden = !place.hidden;
    button.setAttribute("aria-expanded", String(!place.hidden));
    if (!place.parentNode) button.closest("tr").after(place);
    if (place.childElementCount) return;
    place.replaceChildren(el("td", { colspan: columns }, await content(dealer)));
  });
  return button;
}

async function content(dealer) {
  try {
    const { profile, axe_record, scorecards } = await get(`/v1/dealers/${encodeURIComponent(dealer.dealer_id)}`);
    const asked = scorecards.filter((card) => card.rfqs_asked > 0);
    return [
      el("p", { class: "muted" }, standing(profile)),
      el("p", {}, record(axe_record)),
      asked.length ? table(asked) : el("p", {}, "Not asked for a price in this window."),
    ];
  } catch (error) {
    return el("p", { class: "error" }, error.message);
  }
}

function standing(profile) {
  const parts = [words(profile.status.toLowerCase())];
  if (profile.restricted) parts.push("restricted");
  if (profile.specialties.length) parts.push(`specialties: ${profile.specialties.join(", ")}`);
  parts.push(profile.credit_limit === null ? "no credit limit on record" : `credit limit ${number(profile.credit_limit)}`);
  if (profile.due_diligence_expiry) parts.push(`due diligence until ${profile.due_diligence_expiry}`);
  if (profile.contacts) parts.push(profile.contacts);
  return parts.join(" · ");
}

function record(axes) {
  if (!axes) return "Axes: never asked after it advertised any.";
  const gain = axes.mean_gain_over_usual_bps;
  const better = gain === null ? "" : `; quotes then ${number(Math.abs(gain), 1)} bps ${gain < 0 ? "worse" : "better"} than its usual ones`;
  const interval = `${percent(axes.came_true_low)} to ${percent(axes.came_true_high)}`;
  return `Axes: ${axes.axes_came_true} of ${axes.axes_tested} came true when it was asked (${percent(axes.came_true_share)}, 95 % interval ${interval})${better}.`;
}

function table(cards) {
  const rows = cards.map((card) => {
    const metric = Object.fromEntries(card.metrics.map((one) => [one.metric, one]));
    return el("tr", {},
      el("td", {}, words(card.scorecard_class)),
      el("td", { class: "number" }, card.tier ?? ""),
      el("td", { class: "number" }, number(card.rfqs_asked)),
      el("td", { class: "number" }, percent(card.rfqs_quoted / card.rfqs_asked)),
      el("td", { class: "number" }, number(card.rfqs_won)),
      el("td", { class: "number" }, figure(metric.price_improvement, "bps")),
      el("td", { class: "number" }, figure(metric.information_leakage, "bps")),
      el("td", { class: "number" }, figure(metric.response_speed, "s")));
  });
  const head = COLUMNS.map((title, index) => el("th", { class: index ? "number" : null }, title));
  return el("table", { class: "inner" },
    el("caption", { class: "muted" }, `${cards[0].window_days} days up to ${cards[0].as_of.slice(0, 10)}; positive is good for us. Hover over a figure for its interval.`),
    el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows));
}

function figure(metric, unit) {
  if (!metric || metric.raw === null) return "not known";
  const interval = metric.low === null ? "" : `, 95 % interval ${number(metric.low, 1)} to ${number(metric.high, 1)}`;
  return el("span", { title: `${metric.n} observations${interval}` }, `${number(metric.raw, 1)} ${unit}`);
}
