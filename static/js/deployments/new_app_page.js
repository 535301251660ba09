// The page of a new app.

import "../frame/frame.js";
import { bind } from "../frame/keys.js";
import { byId, readData } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { NewApp } from "./new_app.js";
import { composeWay } from "./way_compose.js";
import { folderWay } from "./way_folder.js";
import { gitWay } from "./way_git.js";
import { imageWay } from "./way_image.js";

const { limits } = readData("new-app-data");
const page = new NewApp();
const { draft } = page;
page.offer([imageWay(draft), folderWay(draft, limits), gitWay(draft), composeWay(draft)]);
byId("new-app").append(page.element);
page.choose(new URLSearchParams(location.search).get("from") ?? "image");
bind({
  keys: "mod+enter",
  label: t("Deploy"),
  group: t("New app"),
  typing: true,
  run: () => void page.deploy(),
});
