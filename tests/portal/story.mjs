// An application from its draft to its verdict, by clicking, as applicant, operator, reviewers and
// two officers: one browser, and for each of them a window of their own. Every page with content on
// the way is held to the rules of axe, on a desk and in the dark on a phone, and so is the console.
//
//   node story.mjs BASE_URL PASSWORD CALL_ID PEOPLE
//
// PEOPLE is JSON: the addresses of `applicant`, `operator`, `officer`, `second` and, in a list,
// `reviewers`. CHROMIUM names the browser.

import assert from "node:assert/strict";
import { inspect, launch, signIn } from "./inspect.mjs";

const [base, password, call, people] = process.argv.slice(2);
const { applicant, operator, officer, second, reviewers } = JSON.parse(people);
const desk = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };
const faults = [];
const browser = await launch();
let pages = 0;

/** A window in which somebody is signed in. */
async function sits(email) {
  const context = await browser.newContext({ viewport: desk, locale: "en", colorScheme: "light" });
  const page = await context.newPage();
  page.on("console", (message) => {
    // A form that is refused, as one is on purpose, is a failed load to the browser.
    const meant = message.text().includes("status of 422");
    if (message.type() === "error" && !meant) faults.push(`${email}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`${email}: script: ${error.message}`));
  await signIn(page, base, email, password);
  return page;
}

/** Clicks what leads to another page. */
async function click(page, selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

const press = (page, word) => click(page, `main button[name="do"][value="${word}"]`);

/** Demands that the page says `text`. */
async function says(page, text) {
  const all = await page.innerText("main");
  assert.ok(all.includes(text), `${page.url()} does not say “${text}”:\n${all}`);
}

async function look(page, name) {
  pages += 1;
  await inspect(page, `${name} (desk, light)`, faults);
  await page.setViewportSize(phone);
  await page.emulateMedia({ colorScheme: "dark" });
  await inspect(page, `${name} (phone, dark)`, faults);
  await page.setViewportSize(desk);
  await page.emulateMedia({ colorScheme: "light" });
}

async function applies(page) {
  await page.goto(`${base}/calls/${call}`);
  await click(page, 'form[action$="/apply"] button');
  await page.fill("#title", "A larger model");
  await page.fill("#purpose", "Train on all our texts.");
  await page.selectOption("#fields", "pe6");
  await page.fill("#team", "Grace Hopper; grace@lab.example.net; Lab");
  await page.selectOption("#partition", "meluxina-ai.gpu");
  await page.fill("#hours", "60000");
  await page.selectOption("#months", "6");
  await press(page, "submit");
  await says(page, "It was not submitted");
  await look(page, "a draft that was refused");
  await page.check("#duties");
  await press(page, "submit");
  await click(page, 'main a[href$="/case"]');
  await look(page, "the applicant's case, submitted");
  return page.url();
}

async function judges(page, look) {
  await page.goto(`${base}/reviews`);
  await look(page, "a reviewer's list");
  await click(page, 'main a:text("A larger model")');
  await says(page, "Grace Hopper");
  await look(page, "an empty review");
  await page.fill("#score-excellence", "4.5");
  await page.fill("#score-innovation-and-impact", "4");
  await page.fill("#score-implementation", "4");
  await page.fill("#to_applicant", "Sound.");
  await page.fill("#confidential", "I trust them.");
  await press(page, "hand-in");
  await look(page, "a review handed in");
}

async function arranges(page) {
  for (const email of reviewers) {
    await page.goto(`${base}/calls/${call}/review`);
    await page.fill("#email", email);
    await press(page, "add");
  }
  await press(page, "ask");
  await says(page, "A larger model ←");
  await look(page, "reviews arranged");
}

/** A program asks for a token, and whoever reads what asks refuses. */
async function refuses(page) {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ name: "command line on a laptop" });
  const asked = await (await fetch(`${base}/api/v1/devices`, { method: "POST", headers, body })).json();
  await page.goto(`${base}${asked.verification_path}`);
  await page.fill("#code", asked.user_code);
  await click(page, "main form button");
  await says(page, "command line on a laptop");
  await look(page, "a program that asks");
  await click(page, 'main button[value="no"]');
  await says(page, "The program gets nothing.");
  await look(page, "a program that was refused");
}

async function story() {
  const applying = await sits(applicant);
  const place = await applies(applying);

  const checking = await sits(operator);
  await checking.goto(place);
  await checking.fill("#text", "It fits on 40 nodes.");
  await press(checking, "feasible");
  await look(checking, "the operator's case");

  const deciding = await sits(officer);
  await arranges(deciding);
  for (const [number, email] of reviewers.entries()) {
    const judging = await sits(email);
    // The pages of one reviewer are like those of the others.
    await judges(judging, number === 0 ? look : async () => {});
    await judging.context().close();
  }
  await deciding.goto(`${base}/calls/${call}/review`);
  await says(deciding, "12.50");
  await look(deciding, "a ranking");
  await click(deciding, 'main a:text("A larger model")');
  await look(deciding, "the officer's case");
  await press(deciding, "release");

  await applying.goto(place);
  await says(applying, "Sound.");
  assert.ok(!(await applying.innerText("main")).includes("I trust them."), "what is confidential stays so");
  await look(applying, "the applicant's case with reviews");
  await applying.fill("#text", "Thank you.");
  await press(applying, "answer");

  await deciding.goto(place);
  await deciding.fill("#text", "Well founded.");
  await deciding.fill("#hours", "50000");
  await press(deciding, "award");
  assert.equal(await deciding.locator('button[value="adopt"]').count(), 0, "a second person adopts it");
  await look(deciding, "a verdict proposed");
  const adopting = await sits(second);
  await adopting.goto(place);
  await press(adopting, "adopt");
  await applying.reload();
  assert.ok(!(await applying.innerText("main")).includes("Well founded."), "it is not published yet");
  await press(adopting, "publish");
  await applying.reload();
  await says(applying, "50000 hours, published");
  await look(applying, "the verdict");
  await click(applying, 'main a:text-is("Application")');
  await look(applying, "an application that was awarded");
  await refuses(applying);
}

try {
  await story();
} finally {
  await browser.close();
}
for (const fault of faults) console.error(fault);
console.log(`${pages} pages, 2 ways each: ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
