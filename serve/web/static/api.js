// Calls to the service. The token lives in this tab only.

const KEY = "sotto.token";
export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  clear: () => sessionStorage.removeItem(KEY),
};

export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail || problem.title || `The service answered ${status}`);
    this.status = status;
  }
}

const headers = () => ({ Authorization: `Bearer ${token.get()}` });

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body, response.status);
  return body;
}

export const get = async (path) => answer(await fetch(path, { headers: headers() }));

// One key per click: if the same request is sent again by the browser or a proxy, it still acts once.
export async function post(path, body) {
  const key = `page-${Date.now()}-${Array.from(crypto.getRandomValues(new Uint32Array(3))).join("-")}`;
  const options = { method: "POST", headers: { ...headers(), "Content-Type": "application/json", "Idempotency-Key": key } };
  return answer(await fetch(path, { ...options, body: JSON.stringify(body) }));
}

const FINAL = new Set([401, 403, 404]);
const [FIRST_PAUSE, LONGEST_PAUSE, LIVED] = [1000, 30000, 5000];

// EventSource cannot send a token, so the stream is read by hand; `seen` takes up where a broken or finished one left off.
// It ends only with the signal, or with an answer that no second try will change: a trade may be reported after the end.
export async function follow(path, onEvent, signal) {
  let [seen, pause] = ["", FIRST_PAUSE];
  while (!signal.aborted) {
    const [before, began] = [seen, Date.now()];
    try {
      const last = seen ? { "Last-Event-ID": seen } : {};
      const response = await fetch(path, { headers: { ...headers(), ...last }, signal });
      if (FINAL.has(response.status)) await answer(response);
      if (response.ok) {
        for await (const message of messages(response.body)) {
          seen = message.id || seen;
          onEvent(message);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused) throw error;
    }
    const lived = seen !== before || Date.now() - began > LIVED;
    pause = lived ? FIRST_PAUSE : Math.min(2 * pause, LONGEST_PAUSE);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function* messages(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer = (buffer + value).replaceAll("\r\n", "\n");
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop();
    for (const block of blocks) {
      const message = {};
      for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        if (colon > 0) message[line.slice(0, colon)] = line.slice(colon + 1).trim();
      }
      if (message.data) yield { id: message.id, kind: message.event, data: JSON.parse(message.data) };
    }
  }
}
