// What the pages do beyond links and forms: times in the reader's zone and counting, what was typed kept while a list
// is renewed, the lost connection told, answers and suspensions signed in the browser, next and previous by keyboard.
"use strict";
(() => {
  const body = document.body;
  const began = Date.now();
  const rate = Number(body.dataset.rate || 1);
  const origin = Number(body.dataset.now || began * 1000) / 1000;
  const now = () => origin + (Date.now() - began) * rate; // the stages' time, in milliseconds

  // Times

  const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const words = (millis) => {
    let left = Math.max(0, Math.round(millis / 1000));
    const said = [];
    for (const [unit, seconds] of UNITS) {
      const count = Math.floor(left / seconds);
      if (count && said.length < 2) said.push(`${count} ${unit}`);
      if (count || said.length) left -= count * seconds;
      if (said.length === 1 && unit !== "s" && left < 1) break;
    }
    return said.join(" ") || "0 s";
  };
  const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const tick = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = Date.parse(time.dateTime);
      if (Number.isNaN(at)) continue;
      if ("countdown" in time.dataset) {
        const left = at - now();
        time.textContent = left > 0 ? `in ${words(left)}` : `${words(-left)} ago`;
        time.classList.toggle("out", left <= 0);
      } else if ("ago" in time.dataset) {
        time.textContent = `${words(now() - at)} ago`;
      } else if (!("zoned" in time.dataset)) {
        time.textContent = zone.format(at);
        time.dataset.zoned = "";
      }
    }
  };
  setInterval(() => tick(document), 1000);
  tick(document);
  document.addEventListener("htmx:afterSettle", (event) => tick(event.target));

  // What is typed, chosen or opened stays while a list is renewed around it

  if (window.Idiomorph) {
    Idiomorph.defaults.callbacks.beforeNodeMorphed = (before, after) => {
      if (!(before instanceof Element) || !(after instanceof Element)) return true;
      if (before.matches("input, textarea, select")) {
        if (before.type === "checkbox" || before.type === "radio") after.toggleAttribute("checked", before.checked);
        else if (before.type === "file") return false;
        else if (before.type !== "hidden") return false;
      }
      if (before.matches("details")) after.toggleAttribute("open", before.open);
      return true;
    };
  }

  // The connection

  const connection = document.getElementById("connection");
  if (connection) {
    document.addEventListener("htmx:sseError", () => { connection.hidden = false; });
    document.addEventListener("htmx:sseOpen", () => { connection.hidden = true; });
    document.addEventListener("htmx:sendError", () => { connection.hidden = false; });
  }

  // Next and previous: j and k, as elsewhere

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    const step = { j: 1, k: -1 }[event.key];
    const list = document.querySelector("[data-keys-list]");
    if (!step || !list) return;
    const items = [...list.querySelectorAll("article[tabindex]")];
    const at = items.indexOf(document.activeElement.closest("article[tabindex]"));
    const next = items[at < 0 ? (step > 0 ? 0 : items.length - 1) : at + step];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  });

  // Answers, and suspensions, that are signed here: the key file is read in the browser, and never sent

  let key = null;
  const keyFile = document.getElementById("key-file");
  const keyState = document.getElementById("key-state");
  const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const base64Of = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
  const readKey = async (file) => {
    const found = /-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----/.exec(await file.text());
    if (!found) throw new Error("this is no private key as `seamwatch keys new` writes it");
    const read = await crypto.subtle.importKey("pkcs8", bytesOf(found[1].replace(/\s/g, "")), { name: "Ed25519" }, true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", read);
    const plain = x.replace(/-/g, "+").replace(/_/g, "/");
    const own = await crypto.subtle.importKey("pkcs8", bytesOf(found[1].replace(/\s/g, "")), { name: "Ed25519" }, false, ["sign"]);
    return { own, public: plain + "=".repeat((4 - (plain.length % 4)) % 4) };
  };
  if (keyFile) {
    keyFile.addEventListener("change", async () => {
      key = null;
      try {
        if (keyFile.files[0]) key = await readKey(keyFile.files[0]);
        keyState.textContent = key ? `Ready: public key ${key.public}` : "";
      } catch (error) {
        keyState.textContent = `Not usable: ${error.message}`;
      }
    });
  }
  const post = (path, fields) => fetch(path, { method: "POST", body: fields, headers: { "HX-Request": "true" } });
  const pathOf = (form) => new URL(form.getAttribute("action"), location.href).pathname;
  const fieldsOf = (form, button) => {
    const fields = new URLSearchParams(new FormData(form));
    if (button && button.name) fields.set(button.name, button.value);
    return fields;
  };
  const outcome = document.getElementById("outcome");
  const show = (html) => {
    // Beside the header, since the form may be gone by now: what it answered has moved on.
    outcome.innerHTML = html; // ours, made on the server, which escapes what others wrote
  };
  const sign = async (form, button) => {
    if (!key) {
      keyFile.focus();
      throw new Error("choose your private key file first");
    }
    const path = pathOf(form);
    const drafts = await post(`${path}/drafts`, fieldsOf(form, button));
    if (!drafts.ok) return drafts.text();
    const signed = new URLSearchParams({ csrf: form.elements.csrf.value });
    for (const each of await drafts.json()) {
      if (each.public !== key.public) continue;
      signed.append("draft", each.draft);
      signed.append("signature", base64Of(await crypto.subtle.sign("Ed25519", key.own, new TextEncoder().encode(each.bytes))));
    }
    if (!signed.has("draft")) throw new Error("this key is none of those that you have published");
    return (await post(`${path}/signed`, signed)).text();
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-answers]")) return;
    event.preventDefault();
    const buttons = [...document.querySelectorAll("button")].filter((each) => each.form === form);
    for (const each of buttons) each.disabled = true;
    const waiting = setTimeout(() => show('<p class="notice">Waiting to hear whether it counts…</p>'), 1_000);
    let heard;
    try {
      heard = keyFile ? await sign(form, event.submitter) : await (await post(pathOf(form), fieldsOf(form, event.submitter))).text();
    } catch (error) {
      const told = document.createElement("p");
      told.className = "notice bad";
      told.textContent = error.message;
      heard = told.outerHTML;
    } finally {
      clearTimeout(waiting);
      for (const each of buttons) each.disabled = false;
    }
    show(heard);
  });
})();
