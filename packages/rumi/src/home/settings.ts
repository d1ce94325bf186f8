/**
 * Every setting that comes from the environment, parsed strictly: a malformed value stops the start.
 *
 * One table holds each variable's name, default, form and meaning; docs/reference/settings.md is generated
 * from it. An unknown RUMI_ variable is reported, because a misspelt setting is a silent default.
 */
import { isAbsolute } from "node:path";
import { CONTAINER_ENGINES, type ContainerEngine, parseContainerEngine } from "@rumi/sandbox";
import { ENVIRONMENTS, err, failure, ok, type Environment, type Failure, type Result } from "@rumi/kernel";

export type LogLevel = "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";

export type Settings = {
  readonly home: string;
  readonly api_port: number;
  readonly api_bind_address: string;
  readonly environment: Environment;
  readonly security_mode: "strict" | "permissive";
  readonly container_engine: ContainerEngine;
  readonly log_level: LogLevel;
  readonly log_format: "json" | "text";
  readonly hmac_rotate: boolean;
  readonly max_request_body_bytes: number;
  readonly max_response_bytes: number;
  readonly max_concurrent_flows: number;
  /** A Fernet key; null: it is in the home's own file. */
  readonly secrets_key: string | null;
  readonly secrets_allow_plaintext: "auto" | "true" | "false";
  readonly secret_get_rate_limit: number;
  /** Null: the sockets keep the program's own group. */
  readonly egress_socket_gid: number | null;
  readonly capability_socket_gid: number | null;
  readonly egress_socket_mode: number;
  readonly capability_socket_mode: number;
  readonly egress_sock_dir: string;
  readonly capability_sock_dir: string;
  readonly deprecation_level: "warn" | "error" | "silent" | "log";
  readonly local_pack_mode: "off" | "require_approval";
  readonly cors_origins: readonly string[];
  readonly diagnostics_verbose: boolean;
  readonly dangerous_operations: "enabled" | "disabled";
  readonly second_person_wait_seconds: number;
  /** By rule; which rules there are and what is stricter is the control plane's to say. */
  readonly interlocks: Readonly<Record<string, number>>;
  /** Null: nothing is known against packages. */
  readonly advisories_dir: string | null;
  /** Internal hosts, with or without a port, that libraries may come from. */
  readonly pip_index_hosts: readonly string[];
  /** PEM of authorities that an index is known by; null: the system's. */
  readonly pip_ca_file: string | null;
  /** Folders below which repositories of runs may lie; empty: see `runRoots`. */
  readonly run_roots: readonly string[];
  /** Names of variables that runs are given beside PATH and HOME. */
  readonly run_env: readonly string[];
};

export const EGRESS_SOCK_DIR = "/run/rumi/egress/packs";
export const CAPABILITY_SOCK_DIR = "/run/rumi/capability/principals";

/** The control plane's own figure (home.test.ts compares them); this module stays light for the command line. */
export const LEAST_WAIT_SECONDS = 86_400;

type Parsed<T> = { readonly value: T } | { readonly problem: string };

export type SettingRow<T> = {
  readonly name: string;
  readonly default: string;
  readonly meaning: string;
  readonly parse: (text: string) => Parsed<T>;
};

const oneOf =
  <T extends string>(...words: readonly T[]) =>
  (text: string): Parsed<T> => {
    const found = words.find((word) => word === text);
    return found === undefined ? { problem: `not one of ${words.join(", ")}` } : { value: found };
  };

const containerEngine = (text: string): Parsed<ContainerEngine> => {
  const value = parseContainerEngine(text);
  return value === undefined ? { problem: `not one of ${CONTAINER_ENGINES.join(", ")}, docker:/PATH` } : { value };
};

const whole =
  (least: number, most: number) =>
  (text: string): Parsed<number> => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? { value } : { problem: `not a whole number from ${least} to ${most}` };
  };

const group = (text: string): Parsed<number | null> => {
  if (text === "") return { value: null };
  const parsed = whole(0, 4_294_967_294)(text);
  return "value" in parsed ? parsed : { problem: "not the number of a group, such as 1099" };
};

/** What a socket needs to be used at all is its owner's; nothing but reading and writing means anything. */
const socketMode = (text: string): Parsed<number> =>
  /^0?6[0246][0246]$/.test(text) ? { value: Number.parseInt(text, 8) } : { problem: "not a mode such as 0660" };

const socketFolder = (text: string): Parsed<string> =>
  isAbsolute(text) ? { value: text } : { problem: "not an absolute path" };

const yesOrNo = (text: string): Parsed<boolean> =>
  text === "true" ? { value: true } : text === "false" ? { value: false } : { problem: "neither true nor false" };

const figures = (text: string): Parsed<Readonly<Record<string, number>>> => {
  const pairs =
    text === "" ? [] : text.split(",").map((item) => /^([a-z_]+)=(\d{1,6}(?:\.\d{1,3})?)$/.exec(item.trim()));
  if (pairs.includes(null)) return { problem: "not a list such as order_storm=60,disk_free=10" };
  return { value: Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", Number(pair?.[2])])) };
};

const folder = (text: string): Parsed<string | null> =>
  text === "" ? { value: null } : isAbsolute(text) ? { value: text } : { problem: "not an absolute path" };

const folders = (text: string): Parsed<readonly string[]> => {
  const list = text === "" ? [] : text.split(":");
  const bad = list.find((item) => !isAbsolute(item));
  return bad === undefined
    ? { value: list }
    : { problem: `${bad === "" ? "an empty item" : bad} is not an absolute path` };
};

const variableNames = (text: string): Parsed<readonly string[]> => {
  const list = text === "" ? [] : text.split(",").map((item) => item.trim());
  const bad = list.find((item) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(item) || item.startsWith("RUMI_"));
  return bad === undefined ? { value: list } : { problem: `${bad} is no name of a variable that may be passed on` };
};

/** What is wrong is said, what was given never. */
const fernetKey = (text: string): Parsed<string | null> => {
  if (text === "") return { value: null };
  return /^[A-Za-z0-9_+/-]{43}=?$/.test(text) ? { value: text } : { problem: "not a Fernet key: 32 bytes in Base64" };
};

const hosts = (text: string): Parsed<readonly string[]> => {
  const list = text === "" ? [] : text.split(",").map((item) => item.trim());
  const bad = list.find((item) => !/^([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?$/.test(item));
  return bad === undefined ? { value: list } : { problem: `${bad} is not a host such as pypi.example.com:8443` };
};

const anyText = (text: string): Parsed<string> => (text === "" ? { problem: "empty" } : { value: text });

const origins = (text: string): Parsed<readonly string[]> => {
  const list = text === "" ? [] : text.split(",").map((item) => item.trim());
  const bad = list.find((item) => !/^https?:\/\/[^/\s]+$/.test(item));
  return bad === undefined ? { value: list } : { problem: `${bad} is not an origin such as http://localhost:3000` };
};

export const SETTINGS: { readonly [Key in keyof Settings]: SettingRow<Settings[Key]> } = {
  home: {
    name: "RUMI_HOME",
    default: ".",
    meaning: "Directory that holds user_data/, ecosystem/ and flows/.",
    parse: anyText,
  },
  api_port: {
    name: "RUMI_API_PORT",
    default: "8765",
    meaning: "TCP port of the HTTP API and the console.",
    parse: whole(0, 65_535),
  },
  api_bind_address: {
    name: "RUMI_API_BIND_ADDRESS",
    default: "127.0.0.1",
    meaning: "Address the API listens on. Anything but loopback exposes it.",
    parse: anyText,
  },
  environment: {
    name: "RUMI_ENVIRONMENT",
    default: "dev",
    meaning: "dev, stage or prod; fixed at the home's first start.",
    parse: oneOf(...ENVIRONMENTS),
  },
  security_mode: {
    name: "RUMI_SECURITY_MODE",
    default: "strict",
    meaning: "strict refuses weaker isolation; permissive warns.",
    parse: oneOf("strict", "permissive"),
  },
  container_engine: {
    name: "RUMI_CONTAINER_ENGINE",
    default: "auto",
    meaning:
      "What processes are boxed in: auto takes what works, a name offers that one only. docker:/PATH names its socket.",
    parse: containerEngine,
  },
  log_level: {
    name: "RUMI_LOG_LEVEL",
    default: "INFO",
    meaning: "Least severe line that is logged.",
    parse: oneOf("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
  },
  log_format: {
    name: "RUMI_LOG_FORMAT",
    default: "json",
    meaning: "json or text.",
    parse: oneOf("json", "text"),
  },
  hmac_rotate: {
    name: "RUMI_HMAC_ROTATE",
    default: "false",
    meaning: "true replaces the token key once, at the next start.",
    parse: yesOrNo,
  },
  max_request_body_bytes: {
    name: "RUMI_MAX_REQUEST_BODY_BYTES",
    default: "1048576",
    meaning: "Largest request body, bytes.",
    parse: whole(1_024, 67_108_864),
  },
  max_response_bytes: {
    name: "RUMI_MAX_RESPONSE_BYTES",
    default: "4194304",
    meaning: "Largest answer of a flow's run, bytes; a larger result is cut, and says so.",
    parse: whole(4_096, 67_108_864),
  },
  max_concurrent_flows: {
    name: "RUMI_MAX_CONCURRENT_FLOWS",
    default: "10",
    meaning: "Runs of flows at once; one more is refused.",
    parse: whole(1, 1_000),
  },
  secrets_key: {
    name: "RUMI_SECRETS_KEY",
    default: "",
    meaning: "Fernet key for stored secrets, 32 bytes in Base64; empty: user_data/settings/.secrets_key.",
    parse: fernetKey,
  },
  secrets_allow_plaintext: {
    name: "RUMI_SECRETS_ALLOW_PLAINTEXT",
    default: "auto",
    meaning:
      "Without a key: auto makes one, and keeps plain text with a warning only where it cannot be written; true does so without one; false makes none and refuses to store.",
    parse: oneOf("auto", "true", "false"),
  },
  secret_get_rate_limit: {
    name: "RUMI_SECRET_GET_RATE_LIMIT",
    default: "60",
    meaning: "Secrets that one pack may read within a minute (sliding window).",
    parse: whole(1, 100_000),
  },
  egress_socket_gid: {
    name: "RUMI_EGRESS_SOCKET_GID",
    default: "",
    meaning:
      "Group of the packs' sockets to the network; empty: the program's own, and a box that is another user has none.",
    parse: group,
  },
  capability_socket_gid: {
    name: "RUMI_CAPABILITY_SOCKET_GID",
    default: "",
    meaning: "Group of the packs' sockets to capabilities; empty: the program's own.",
    parse: group,
  },
  egress_socket_mode: {
    name: "RUMI_EGRESS_SOCKET_MODE",
    default: "0660",
    meaning: "Mode of the packs' sockets to the network. 0666 lets every user of this machine be every pack.",
    parse: socketMode,
  },
  capability_socket_mode: {
    name: "RUMI_CAPABILITY_SOCKET_MODE",
    default: "0660",
    meaning: "Mode of the packs' sockets to capabilities.",
    parse: socketMode,
  },
  egress_sock_dir: {
    name: "RUMI_EGRESS_SOCK_DIR",
    default: EGRESS_SOCK_DIR,
    meaning: "Folder of the packs' sockets to the network; where the default cannot be made, user_data/run/egress.",
    parse: socketFolder,
  },
  capability_sock_dir: {
    name: "RUMI_CAPABILITY_SOCK_DIR",
    default: CAPABILITY_SOCK_DIR,
    meaning:
      "Folder of the packs' sockets to capabilities; where the default cannot be made, user_data/run/capability.",
    parse: socketFolder,
  },
  deprecation_level: {
    name: "RUMI_DEPRECATION_LEVEL",
    default: "warn",
    meaning:
      "What a use of something deprecated does: warn and log say so once each, error refuses it, silent says nothing.",
    parse: oneOf("warn", "error", "silent", "log"),
  },
  local_pack_mode: {
    name: "RUMI_LOCAL_PACK_MODE",
    default: "off",
    meaning: "require_approval reads flows of the deprecated local pack once it is approved; off never.",
    parse: oneOf("off", "require_approval"),
  },
  cors_origins: {
    name: "RUMI_CORS_ORIGINS",
    default: "",
    meaning: "Comma-separated origins that browsers may call from.",
    parse: origins,
  },
  diagnostics_verbose: {
    name: "RUMI_DIAGNOSTICS_VERBOSE",
    default: "false",
    meaning: "true adds details to diagnostic log lines.",
    parse: yesOrNo,
  },
  dangerous_operations: {
    name: "RUMI_DANGEROUS_OPS",
    default: "enabled",
    meaning: "disabled refuses every dangerous operation, confirmed or not; nothing can go live.",
    parse: oneOf("enabled", "disabled"),
  },
  second_person_wait_seconds: {
    name: "RUMI_SECOND_PERSON_WAIT_SECONDS",
    default: String(LEAST_WAIT_SECONDS),
    meaning:
      "How long an account or a token that the home's own token made counts as the same hand. Less than a day only in dev.",
    parse: whole(0, 31_536_000),
  },
  interlocks: {
    name: "RUMI_INTERLOCKS",
    default: "",
    meaning: "Stricter thresholds of interlocks, such as order_storm=60,disk_free=10; docs/policy lists them.",
    parse: figures,
  },
  advisories_dir: {
    name: "RUMI_ADVISORIES_DIR",
    default: "",
    meaning: "Absolute path of the directory of OSV advisories that the supply-chain gate reads; empty: none.",
    parse: folder,
  },
  pip_index_hosts: {
    name: "RUMI_PIP_INDEX_HOSTS",
    default: "",
    meaning: "Comma-separated internal hosts, such as pypi.example.com:8443, that libraries of packs may come from.",
    parse: hosts,
  },
  pip_ca_file: {
    name: "RUMI_PIP_CA_FILE",
    default: "",
    meaning: "Absolute path of a PEM file with the authorities of an index of libraries; empty: the system's.",
    parse: folder,
  },
  run_roots: {
    name: "RUMI_RUN_ROOTS",
    default: "",
    meaning:
      "Colon-separated absolute paths below which repositories of runs may lie; empty: anywhere while the API listens on loopback, nowhere else.",
    parse: folders,
  },
  run_env: {
    name: "RUMI_RUN_ENV",
    default: "",
    meaning: "Comma-separated names of the program's variables that runs and their checks are given.",
    parse: variableNames,
  },
};

/** Variables that mean something to the test and demo tools, not to the program. */
const TOOL_VARIABLES: readonly string[] = ["RUMI_SOAK", "RUMI_TOKEN", "RUMI_API_URL"];

export type ReadSettings = { readonly settings: Settings; readonly unknown: readonly string[] };

export function readSettings(environment: Readonly<Record<string, string | undefined>>): Result<ReadSettings, Failure> {
  const read = <T>(row: SettingRow<T>): T => {
    const parsed = row.parse(environment[row.name] ?? row.default);
    if ("problem" in parsed)
      throw new SettingError(failure("RUMI-SYS-002", { name: row.name, problem: parsed.problem }));
    return parsed.value;
  };
  try {
    const settings: Settings = {
      home: read(SETTINGS.home),
      api_port: read(SETTINGS.api_port),
      api_bind_address: read(SETTINGS.api_bind_address),
      environment: read(SETTINGS.environment),
      security_mode: read(SETTINGS.security_mode),
      container_engine: read(SETTINGS.container_engine),
      log_level: read(SETTINGS.log_level),
      log_format: read(SETTINGS.log_format),
      hmac_rotate: read(SETTINGS.hmac_rotate),
      max_request_body_bytes: read(SETTINGS.max_request_body_bytes),
      max_response_bytes: read(SETTINGS.max_response_bytes),
      max_concurrent_flows: read(SETTINGS.max_concurrent_flows),
      secrets_key: read(SETTINGS.secrets_key),
      secrets_allow_plaintext: read(SETTINGS.secrets_allow_plaintext),
      secret_get_rate_limit: read(SETTINGS.secret_get_rate_limit),
      egress_socket_gid: read(SETTINGS.egress_socket_gid),
      capability_socket_gid: read(SETTINGS.capability_socket_gid),
      egress_socket_mode: read(SETTINGS.egress_socket_mode),
      capability_socket_mode: read(SETTINGS.capability_socket_mode),
      egress_sock_dir: read(SETTINGS.egress_sock_dir),
      capability_sock_dir: read(SETTINGS.capability_sock_dir),
      deprecation_level: read(SETTINGS.deprecation_level),
      local_pack_mode: read(SETTINGS.local_pack_mode),
      cors_origins: read(SETTINGS.cors_origins),
      diagnostics_verbose: read(SETTINGS.diagnostics_verbose),
      dangerous_operations: read(SETTINGS.dangerous_operations),
      second_person_wait_seconds: read(SETTINGS.second_person_wait_seconds),
      interlocks: read(SETTINGS.interlocks),
      advisories_dir: read(SETTINGS.advisories_dir),
      pip_index_hosts: read(SETTINGS.pip_index_hosts),
      pip_ca_file: read(SETTINGS.pip_ca_file),
      run_roots: read(SETTINGS.run_roots),
      run_env: read(SETTINGS.run_env),
    };
    if (settings.environment !== "dev" && settings.second_person_wait_seconds < LEAST_WAIT_SECONDS)
      return err(
        failure("RUMI-SYS-002", {
          name: SETTINGS.second_person_wait_seconds.name,
          problem: `less than ${LEAST_WAIT_SECONDS} outside dev`,
        }),
      );
    const known = new Set([...Object.values(SETTINGS).map((row) => row.name), ...TOOL_VARIABLES]);
    const unknown = Object.keys(environment)
      .filter((name) => name.startsWith("RUMI_") && !known.has(name))
      .toSorted();
    return ok({ settings, unknown });
  } catch (error) {
    if (error instanceof SettingError) return err(error.failure);
    throw error;
  }
}

class SettingError extends Error {
  readonly failure: Failure;
  constructor(of: Failure) {
    super(of.code);
    this.failure = of;
  }
}
