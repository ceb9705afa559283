/** Sets a new password by a mailed link, or asks for another link when this one is void. */

import { Problem, request } from "./api.js";
import { byId } from "./dom.js";
import { FieldProblem, clearProblems, onSubmit } from "./form.js";
import { isVoid, showStep, token } from "./link.js";
import { adviceIn } from "./password-advice.js";
import { explained, invalid, language, startTexts, texts, translateFaults } from "./text.js";

const form = byId("form", HTMLFormElement);
const askForm = byId("ask-form", HTMLFormElement);
const password = byId("password", HTMLInputElement);

/** @type {"choose" | "done" | "void" | "asked"} */
let step = token ? "choose" : "void";

function show() {
  form.hidden = step !== "choose";
  askForm.hidden = step !== "void";
  byId("home").hidden = step !== "done";
  if (step === "choose") showStep("resetTitle", null);
  if (step === "done") showStep("resetDoneTitle", "resetDone");
  if (step === "void") showStep("resetVoidTitle", "resetVoid");
  if (step === "asked") showStep("askedTitle", "asked");
}

/** @param {"done" | "void" | "asked"} next */
function go(next) {
  step = next;
  show();
  byId("heading").focus();
}

onSubmit(
  form,
  async ({ new_password }) => {
    try {
      await request("POST", "password-resets/confirm", { body: { token, new_password } });
    } catch (error) {
      if (isVoid(error)) return go("void");
      translateFaults(error, { new_password: texts().passwordWrong });
      if (error instanceof Problem && error.slug === "weak-password") {
        throw new FieldProblem("new_password", adviceIn(language(), error.message));
      }
      throw error;
    }
    form.reset();
    go("done");
  },
  { explain: explained, invalid },
);

onSubmit(
  askForm,
  async ({ email }) => {
    try {
      await request("POST", "password-resets", { body: { email } });
    } catch (error) {
      translateFaults(error, { email: texts().notAnAddress });
      throw error;
    }
    go("asked");
  },
  { explain: explained, invalid },
);

byId("show", HTMLInputElement).addEventListener("change", (event) => {
  password.type = /** @type {HTMLInputElement} */ (event.target).checked ? "text" : "password";
});

startTexts(() => {
  clearProblems(form);
  clearProblems(askForm);
  show();
});
