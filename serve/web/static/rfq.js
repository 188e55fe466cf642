// The RFQ as it runs: who is asked, what came back, the alert, and the one click that trades.

import { get, post, follow } from "./api.js";
import { clock, el, number, words } from "./dom.js";

const STATES = { QUOTED: "", ASKED: "asking", NOT_ASKED: "plain", SKIPPED: "plain", DECLINED: "bad", TIMED_OUT: "warn", REJECTED: "bad" };
const DECISIVE = ["EXECUTED", "NOT_TRADED", "CANCELLED"];
const NUMERIC = new Set(["#", "Price", "Size", "Cost, bps"]);
let running = null;

export async function watch(target, rfq, onError) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const log = [];
  const act = async (path, body) => {
    try {
      draw(target, await post(`/v1/rfqs/${rfq.rfq_id}/${path}`, body), log, act);
    } catch (error) {
      onError(error);
      // Drawn again, so that what was clicked can be clicked again where it still stands.
      await refresh(target, rfq.rfq_id, log, act, signal).catch(() => target.querySelectorAll("button[data-clicked]").forEach((button) => { button.disabled = false; }));
    }
  };
  draw(target, rfq, log, act);
  target.scrollIntoView({ behavior: "smooth", block: "start" });
  await follow(`/v1/rfqs/${rfq.rfq_id}/events`, (message) => {
    log.unshift(line(message));
    refresh(target, rfq.rfq_id, log, act, signal).catch(onError);
  }, signal).catch(onError);
}

async function refresh(target, id, log, act, signal) {
  const fresh = await get(`/v1/rfqs/${id}`);
  if (!signal.aborted) draw(target, fresh, log, act);
}

function draw(target, rfq, log, act) {
  const open = !DECISIVE.includes(rfq.state);
  target.replaceChildren(
    el("div", { class: "head" }, el("h1", {}, "RFQ"), el("span", { class: `tag ${open ? "asking" : "plain"}` }, words(rfq.state.toLowerCase())),
      el("span", { class: "muted" }, `${rfq.plan.mode} · ${rfq.venue} · ${rfq.rfq_id}`),
      open ? el("button", { class: "quiet", type: "button", onclick: (event) => { clicked(event.target); act("cancel", {}); } }, "Cancel RFQ") : null),
    ...rfq.alerts.slice(-3).map((alert) => el("p", { class: "alert", role: "alert" }, `${clock(alert.at)} ${alert.message}`)),
    ...rfq.executions.map((trade) => el("p", { class: "done" }, `Traded ${number(trade.quantity)} with ${trade.dealer_id} at ${number(trade.price, 4)} (${clock(trade.executed_at)} UTC)`)),
    !rfq.execution && rfq.reason ? el("p", { class: "muted" }, rfq.reason) : "",
    el("table", {}, el("thead", {}, el("tr", {}, ["#", "Dealer", "State", "Price", "Size", "Cost, bps", ""].map((name) => el("th", { class: NUMERIC.has(name) ? "number" : null }, name)))),
      el("tbody", {}, rfq.dealers.map((dealer) => row(dealer, open, act)))),
    el("h2", {}, "As it happened"),
    el("ul", { class: "log" }, log.map((text) => el("li", {}, text))),
  );
  target.hidden = false;
}

function clicked(button) {
  button.disabled = true;
  button.dataset.clicked = "";
}

function row(dealer, open, act) {
  const quote = dealer.quote;
  const trade = (event) => { clicked(event.target); act("execute", { quote_id: quote.quote_id }); };
  return el("tr", {},
    el("td", { class: "number" }, dealer.sequence),
    el("td", { class: "dealer" }, dealer.dealer_id),
    el("td", {}, el("span", { class: `tag ${STATES[dealer.state] ?? "plain"}` }, words(dealer.state.toLowerCase())), dealer.reason ? el("div", { class: "muted" }, dealer.reason) : null),
    el("td", { class: "number" }, quote ? number(quote.price, 4) : ""),
    el("td", { class: "number" }, quote ? number(quote.quantity) : ""),
    el("td", { class: "number" }, quote ? number(quote.cost_bps, 1) : ""),
    el("td", {}, quote && open ? el("button", { type: "button", disabled: !quote.executable, title: quote.why_not, onclick: trade }, quote.competitive ? "Execute" : "Execute anyway") : ""));
}

function line({ kind, data }) {
  const what = words(kind.replace("rfq.", ""));
  const who = data.dealer_id ? ` · ${data.dealer_id}` : "";
  const price = data.price ? ` · ${number(data.price, 4)}` : "";
  const why = data.message || data.reason ? ` · ${data.message || data.reason}` : "";
  return `${clock(data.at)}  ${what}${who}${price}${why}`;
}
