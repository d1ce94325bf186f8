/** Debian's Chromium against the running program: pages of their own profile, and the few things every test does on them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { witness } from "../../../tools/test-support.ts";
import { eventually, ROOT, type Program } from "./program.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** So much of a page is told when a test fails. */
const SEEN_CHARACTERS = 3_000;

export type PageOptions = {
  readonly locale?: string;
  readonly width?: number;
  /** Without the leading `/`; the program's own token where it is left out. */
  readonly hash?: string;
  /** Whose page it is. */
  readonly token?: string;
  readonly scheme?: "light" | "dark";
  readonly prepare?: (page: Page) => Promise<unknown>;
};

export type Console = {
  /** A fresh browser profile; with the token in the fragment unless told otherwise. */
  open(options?: PageOptions): Promise<Page>;
  /** A tampering route may still be in flight when its test is over. */
  shut(page: Page): Promise<void>;
  close(): Promise<void>;
  /** Whatever a page complained about: violations of the content security policy, uncaught errors. */
  readonly complaints: readonly string[];
};

export async function openConsole(program: Pick<Program, "url" | "token">): Promise<Console> {
  if (!existsSync(join(ROOT, "dist/console/index.html"))) throw new Error("the console is not built: npm run build");
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const complaints: string[] = [];
  return {
    complaints,
    open: async ({ locale = "en-US", width = 1_400, hash, token = program.token, scheme = "dark", prepare } = {}) => {
      const viewport = { width, height: 1_000 };
      const context = await browser.newContext({ locale, viewport, colorScheme: scheme, timezoneId: "UTC" });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        if (/content security policy/i.test(message.text())) complaints.push(message.text());
      });
      page.once(
        "close",
        witness(() => standing(page)),
      );
      await prepare?.(page);
      await page.goto(`${program.url}/${hash ?? `#token=${token}`}`);
      return page;
    },
    shut: async (page) => {
      await page.unrouteAll({ behavior: "ignoreErrors" });
      await page.context().close();
    },
    close: () => browser.close(),
  };
}

/** What a person would see on it. */
async function standing(page: Page): Promise<string> {
  return `${page.url()}\n${(await page.locator("body").innerText()).slice(0, SEEN_CHARACTERS)}`;
}

/** Where the page is by its own word; what the driver remembers of a change inside of a page comes later. */
export const addressOf = async (page: Page): Promise<URL> => new URL(await page.evaluate<string>("location.href"));

export const see = (page: Page, id: string) => page.getByTestId(id);
export const textOf = async (page: Page, id: string): Promise<string> =>
  (await see(page, id).first().innerText()).trim();
export const until = (page: Page, id: string, wanted: RegExp): Promise<true> =>
  eventually(async () => (await see(page, id).count()) > 0 && wanted.test(await textOf(page, id)), 100);

/** Types the reason into the dialog that is open and sends it. */
export async function confirm(page: Page, reason: string): Promise<void> {
  await page.getByRole("dialog").getByRole("textbox").fill(reason);
  await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
}

/** Types what the challenge asks for into the dialog that is open and sends it. */
export async function typePhrase(page: Page, phrase: string): Promise<void> {
  await see(page, "phrase").fill(phrase);
  await page.getByRole("dialog").getByRole("button", { name: "Do it" }).click();
}

/** Another page of the console, as a click on its name. */
export async function turnTo(page: Page, name: string): Promise<void> {
  await see(page, "pages").getByRole("link", { name }).click();
}

/** Both schemes, a wide and a narrow window, in the folder that `TEST_PICTURES` names; without it nothing is taken. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["TEST_PICTURES"];
  if (folder === undefined) return;
  const before = page.viewportSize();
  for (const colorScheme of ["dark", "light"] as const)
    for (const width of [1_300, 400]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
  await page.emulateMedia({ colorScheme: "dark" });
  if (before !== null) await page.setViewportSize(before);
}

/** Nothing is wider than the window: a phone needs no scrolling sideways. */
export async function overflowOf(page: Page, width: number): Promise<number> {
  const before = page.viewportSize();
  await page.setViewportSize({ width, height: 900 });
  const over = await page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  if (before !== null) await page.setViewportSize(before);
  return over;
}
