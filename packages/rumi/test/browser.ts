/** Debian's Chromium against the running program: pages of their own profile, and the few things every test does on them. */
import { chromium, type Browser, type Page } from "playwright-core";
import { eventually, type Program } from "./program.ts";

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
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const complaints: string[] = [];
  return {
    complaints,
    open: async ({ locale = "en-US", width = 1_400, hash, token = program.token, scheme = "dark", prepare } = {}) => {
      const viewport = { width, height: 1_000 };
      const context = await browser.newContext({ locale, viewport, colorScheme: scheme, timezoneId: "UTC" });
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        if (/content security policy/i.test(message.text())) complaints.push(message.text());
      });
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
