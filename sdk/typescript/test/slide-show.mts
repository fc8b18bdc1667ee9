import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** Answers as the address that the guide asks, with a certificate of an authority of its own. */
export class SlideShow {
  /** Path of the authority's certificate. */
  readonly authority: string;
  /** How often it was asked. */
  questions = 0;
  readonly #server: Server;

  private constructor(folder: string) {
    this.authority = join(folder, "ca.pem");
    const [cert, key] = ["site.pem", "site.key"].map((name) => readFileSync(join(folder, name)));
    this.#server = createServer({ cert, key }, (request, response) => {
      this.questions++;
      response.statusCode = request.url === "/json" ? 200 : 404;
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ slideshow: { title: "Sample" } }));
    });
  }

  /** Makes the certificates in a folder and listens on a free port of this machine. */
  static async start(folder: string): Promise<SlideShow> {
    mkdirSync(folder);
    makeCertificates(folder);
    const site = new SlideShow(folder);
    site.#server.listen(0, "127.0.0.1");
    await once(site.#server, "listening");
    return site;
  }

  /** Its port. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

// With all the extensions that Python's strict verification asks for.
function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const authority = ["-subj", "/CN=Test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", ...authority);
  openssl("req", ...newKey, "-keyout", "site.key", "-out", "site.csr", "-subj", "/CN=httpbin.org");
  const extensions = ["subjectAltName=DNS:httpbin.org", "extendedKeyUsage=serverAuth", "authorityKeyIdentifier=keyid"];
  writeFileSync(join(folder, "site.ext"), `${extensions.join("\n")}\n`);
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "site.ext"];
  openssl("x509", "-req", "-in", "site.csr", "-out", "site.pem", ...signing);
}
