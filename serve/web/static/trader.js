// The page itself: the token, the order, and what is shown when.

import { Refused, post, token } from "./api.js";
import { show } from "./recommendation.js";
import { watch } from "./rfq.js";

const $ = (id) => document.getElementById(id);

function fail(error) {
  if (error instanceof Refused && error.status === 401) {
    token.clear();
    arrange();
  }
  $("error").textContent = error.message;
  $("error").hidden = false;
}

function arrange() {
  const known = Boolean(token.get());
  $("sign-in").hidden = known;
  $("desk").hidden = $("sign-out").hidden = !known;
  if (!known) $("token").focus();
}

async function tellStatus() {
  try {
    const ready = await (await fetch("/health/ready")).json();
    const when = ready.as_of ? `scorecards as of ${ready.as_of.slice(0, 16).replace("T", " ")} UTC` : "no scorecards yet";
    $("status").textContent = ready.ready ? `ready · ${when}` : `not ready: ${ready.reasons.join("; ")} · ${when}`;
  } catch {
    $("status").textContent = "the service does not answer";
  }
}

const amount = (text) => Number(text.replaceAll(/[,\s_]/g, ""));
const newOrderId = () => { $("order-form").order_id.value = `PAGE-${Date.now().toString(36).toUpperCase()}`; };

async function recommend(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const order = { order_id: form.get("order_id"), security_id: form.get("security_id").trim(), security_id_type: form.get("security_id_type") };
  Object.assign(order, { side: form.get("side"), quantity: amount(form.get("quantity")), currency: form.get("currency").trim().toUpperCase() });
  if (form.get("limit_price").trim()) order.limit_price = amount(form.get("limit_price"));
  $("error").hidden = true;
  $("ask").disabled = true;
  try {
    show($("recommendation"), await post("/v1/recommendations", order), startRfq);
    $("empty").hidden = true;
    $("rfq").hidden = true;
    newOrderId();
  } catch (error) {
    fail(error);
  } finally {
    $("ask").disabled = false;
  }
}

async function startRfq(answer, override, button) {
  button.disabled = true;
  $("error").hidden = true;
  const recommendation_id = answer.recommendation_id;
  try {
    const request = { recommendation_id };
    if (override) request.override_id = (await post(`/v1/recommendations/${recommendation_id}/overrides`, override)).override_id;
    await watch($("rfq"), await post("/v1/rfqs", request), fail);
  } catch (error) {
    button.disabled = false;
    fail(error);
  }
}

$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set($("token").value.trim());
  $("token").value = "";
  arrange();
});
$("sign-out").addEventListener("click", () => { token.clear(); arrange(); });
$("order-form").addEventListener("submit", recommend);
newOrderId();
arrange();
tellStatus();
setInterval(tellStatus, 10_000);
