/** All tests, in one process and on one service. */

import "./calls.js";
import "./feed.js";
import "./caches.js";
import "./recipes.js";
import "./webhook.js";
import "./package.js";
