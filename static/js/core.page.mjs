// What every page gets. Nothing here is needed for reading, posting, reporting or deciding.
import { localise } from "./core.time.mjs";
import "./core.forms.mjs";

localise();
document.querySelector("[data-focus]")?.focus();
