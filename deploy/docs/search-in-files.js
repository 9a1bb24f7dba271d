// Pages that lie as files may not start workers: a hidden frame stands in for the one that searches.
// The theme's search asks for a window's IFrameWorker, and awaits importScripts.
if (location.protocol === "file:") {
  const load = (window, url) => new Promise((resolve, reject) => {
    const script = window.document.createElement("script");
    Object.assign(script, { src: url, onload: resolve, onerror: reject });
    window.document.body.append(script);
  });

  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      this.inside.document.open();
      this.inside.document.write("<!doctype html><title>search</title><body>");
      this.inside.document.close();
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.inside.importScripts = async (...urls) => {
        for (const one of urls) await load(this.inside, one);
      };
      this.ready = load(this.inside, url);
    }

    async postMessage(data) {
      await this.ready;
      this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data }));
    }
  };
  window.Worker = window.IFrameWorker;
}
