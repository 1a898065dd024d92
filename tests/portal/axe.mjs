// Walks the portal in Chromium: signs in by the form, visits every page in light and dark, on a
// phone and on a desk, in English and French, and fails on any violation that axe finds, on any
// message in the console, and on any page wider than its window. Then does the same way again
// without scripts, where every page must still show its heading and its forms must work.
//
//   node axe.mjs BASE_URL EMAIL PASSWORD PATH…
//
// CHROMIUM names the browser (default /usr/bin/chromium); SHOTS a folder for pictures.

import { join } from "node:path";
import { inspect, launch, signIn } from "./inspect.mjs";

const [base, email, password, ...paths] = process.argv.slice(2);
if (!base || !email || !password || paths.length === 0) {
  console.error("usage: node axe.mjs BASE_URL EMAIL PASSWORD PATH…");
  process.exit(2);
}

const phone = { width: 390, height: 844 };
const desk = { width: 1280, height: 900 };
// Every page meets each scheme, each window and each language.
const visits = [
  { colorScheme: "light", viewport: desk, locale: "en" },
  { colorScheme: "dark", viewport: desk, locale: "fr" },
  { colorScheme: "light", viewport: phone, locale: "fr" },
  { colorScheme: "dark", viewport: phone, locale: "en" },
];
// Pages as those see them who have not signed in.
const doors = ["/", "/sign-in", "/register"];
const faults = [];

function named(visit, path) {
  const window = visit.viewport === phone ? "phone" : "desk";
  return `${path} (${visit.colorScheme}, ${window}, ${visit.locale})`;
}

async function walk(browser, visit) {
  const context = await browser.newContext({ ...visit, extraHTTPHeaders: { "accept-language": visit.locale } });
  const page = await context.newPage();
  let here = "";
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`${here}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`${here}: script: ${error.message}`));
  const see = async (path, number) => {
    here = named(visit, path);
    await page.goto(base + path);
    await inspect(page, here, faults);
    if (process.env.SHOTS) {
      const file = `${number}-${visit.colorScheme}-${visit.viewport.width}-${visit.locale}.png`;
      await page.screenshot({ path: join(process.env.SHOTS, file), fullPage: true });
    }
  };
  for (const [number, path] of doors.entries()) await see(path, `door-${number}`);
  await signIn(page, base, email, password);
  for (const [number, path] of paths.entries()) await see(path, number);
  await context.close();
}

async function withoutScripts(browser) {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: desk, locale: "en" });
  const page = await context.newPage();
  await signIn(page, base, email, password);
  for (const path of paths) {
    await page.goto(base + path);
    const heading = (await page.textContent("h1"))?.trim();
    if (!heading) faults.push(`${path}: no heading without scripts`);
  }
  await page.goto(`${base}/settings`);
  await page.fill("#name", "without scripts");
  await page.click('form[action="/settings/tokens"] button');
  const secret = await page.textContent(".secret");
  if (!secret?.startsWith("usine_api_")) faults.push("/settings: no token without scripts");
  await page.click('footer button[value="fr"]');
  const language = await page.getAttribute("html", "lang");
  if (language !== "fr") faults.push("the language cannot be changed without scripts");
  await context.close();
}

const browser = await launch();
try {
  for (const visit of visits) await walk(browser, visit);
  await withoutScripts(browser);
} finally {
  await browser.close();
}
for (const fault of faults) console.error(fault);
console.log(`${paths.length + doors.length} pages, ${visits.length} ways each: ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
