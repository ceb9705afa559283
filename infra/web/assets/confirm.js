/** Confirms an e-mail address by a mailed link. Mail scanners load pages, so nothing happens before the button is tapped. */

import { request } from "./api.js";
import { byId } from "./dom.js";
import { onSubmit } from "./form.js";
import { isVoid, showStep, token } from "./link.js";
import { explained, startTexts } from "./text.js";

const form = byId("form", HTMLFormElement);

/** @type {"ask" | "done" | "void"} */
let step = token ? "ask" : "void";

function show() {
  form.hidden = step !== "ask";
  byId("home").hidden = step === "ask";
  if (step === "ask") showStep("confirmTitle", "confirmText");
  if (step === "done") showStep("confirmDoneTitle", "confirmDone");
  if (step === "void") showStep("confirmVoidTitle", "confirmVoid");
}

/** @param {"done" | "void"} next */
function go(next) {
  step = next;
  show();
  byId("heading").focus();
}

onSubmit(
  form,
  async () => {
    try {
      await request("POST", "users/confirm", { body: { token } });
    } catch (error) {
      if (!isVoid(error)) throw error;
      return go("void");
    }
    go("done");
  },
  { explain: explained },
);

startTexts(show);
