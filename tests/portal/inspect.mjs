// What both walks through the portal share: the browser, signing in, and what axe demands of a page.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** CHROMIUM names the browser (default /usr/bin/chromium). */
export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

/** Signs in by the form. */
export async function signIn(page, base, email, password) {
  await page.goto(`${base}/sign-in`);
  await page.fill("#email", email);
  await page.fill("#password", password);
  await page.click("main form button");
  await page.waitForSelector('.who a[href="/settings"]');
}

/** Adds to `faults` whatever axe finds on the page, and that it is wider than its window. */
export async function inspect(page, name, faults) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(
    (values) => window.axe.run({ runOnly: { type: "tag", values } }),
    rules,
  );
  for (const violation of violations) {
    for (const node of violation.nodes) {
      faults.push(`${name}: ${violation.id}: ${violation.help}\n    ${node.html}\n    ${node.failureSummary.replaceAll("\n", "\n    ")}`);
    }
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) faults.push(`${name}: ${wide} px wider than the window`);
}
