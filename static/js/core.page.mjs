// What every page gets. Nothing here is needed for reading, posting, reporting or deciding.
import { localise } from "./core.time.mjs";
import "./moderation.talk.mjs"; // before the forms: what it sends is not theirs
import "./core.forms.mjs";

localise();
document.querySelector("[data-focus]")?.focus();
