// The key, messages, and what every view needs. A key lives in this tab and goes to this service.

const KEY = "vaekit-key";
const status = document.getElementById("status");
const form = document.getElementById("key");

export function say(text) {
  status.textContent = text;
  status.hidden = !text;
}

export function headers() {
  const key = sessionStorage.getItem(KEY);
  return key ? { authorization: `Bearer ${key}` } : {};
}

function asksForKey(asked) {
  form.hidden = !asked;
  if (asked && !form.contains(document.activeElement)) document.getElementById("key-field").focus();
}

// What a refusal says, in its first line.
function reason(text, code) {
  try {
    return JSON.parse(text).error.split("\n")[0];
  } catch {
    return `The service answered with ${code}.`;
  }
}

function tell(code, text) {
  if (code === 401 || code === 403) asksForKey(true);
  say(code === 401 ? "" : reason(text, code));
}

const AWAY = "The service does not answer. This page goes on as soon as it does.";

// Asks the service; null where there is no answer, and then the page says why.
export async function ask(path, body, signal) {
  const options = { headers: headers(), signal };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    options.headers["content-type"] = "application/json";
  }
  try {
    const response = await fetch(path, options);
    if (!response.ok) {
      tell(response.status, await response.text());
      return null;
    }
    say("");
    return response;
  } catch (error) {
    if (error.name !== "AbortError") say(AWAY);
    return null;
  }
}

// Calls `work` with the newest request only: one runs at a time, those between are left out.
export function newestOnly(work) {
  let running = false;
  let waiting = null;
  return async function run(value) {
    waiting = [value];
    if (running) return;
    running = true;
    while (waiting) {
      const [next] = waiting;
      waiting = null;
      await work(next);
    }
    running = false;
  };
}

// Calls `start` with every element of this id that htmx brings, once.
export function whenThere(id, start) {
  const look = () => {
    const element = document.getElementById(id);
    if (element && !element.dataset.started) {
      element.dataset.started = "1";
      start(element);
    }
  };
  document.addEventListener("htmx:after:swap", look);
  look();
}

// What is said of conditions in a part of the page.
export function told(root) {
  const found = {};
  for (const field of root.querySelectorAll("[data-condition]")) {
    if (field.value !== "") found[field.name] = Number(field.value);
  }
  return found;
}

document.addEventListener("htmx:config:request", (event) => {
  Object.assign(event.detail.ctx.request.headers, headers());
});
document.addEventListener("htmx:after:request", (event) => {
  const { response, text } = event.detail.ctx;
  if (response.status >= 400) tell(response.status, text);
  else say("");
});
document.addEventListener("htmx:error", () => say(AWAY));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, document.getElementById("key-field").value.trim());
  asksForKey(false);
  document.body.dispatchEvent(new Event("key"));
});

// A part of the page that the address names is there only now.
document.addEventListener("htmx:after:swap", () => {
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}, { once: true });

// A view that never came is asked for again, until the service is back.
setInterval(() => {
  if (!status.hidden && document.querySelector("#main > .hint")) document.body.dispatchEvent(new Event("key"));
}, 2000);

whenThere("next", (button) => {
  button.addEventListener("click", () => {
    const seed = document.getElementById("seed");
    seed.value = Number(seed.value) + 1;
    seed.dispatchEvent(new Event("change", { bubbles: true }));
  });
});
