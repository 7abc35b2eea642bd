"""What one call to the API was answered, and what that means. Each entry is a cause."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, POSSIBLE, Check, t
from forgedoctor.signature import Answer, Signature, as_check

_API = r"^/sdapi/v1/"

SIGNATURES = (
    Signature(
        id="api-sampler-unknown",
        severity=ERROR,
        group="call",
        page="""The sampler or scheduler name is not known to this server.

        What happens: 404 or 400 with "Sampler not found".
        Why: since 1.9 (and in Forge) the schedule is a field of its own: "DPM++ 2M" and "Karras", not
        "DPM++ 2M Karras". Names like k_euler_a are another program's. Forge takes unknown names in silence where
        AUTOMATIC1111 refuses them.
        Fix: sampler_name without the schedule, and scheduler; take both from /sdapi/v1/samplers and /schedulers.
        Source: modules/api/api.py validate_sampler_name.
        """,
        summary=t("The server does not know this sampler name."),
        lines=(r"(?i)\bsampler not found\b",),
        answers=(Answer(path=_API, statuses=(400, 404), body=r"(?i)sampler not found|scheduler not found"),),
        fixes=(t("Send sampler_name without the schedule, and scheduler beside it; GET /sdapi/v1/samplers and /sdapi/v1/schedulers list the names"),),
        explains=("api-flag-missing", "client-wrong-url"),
        confidence=CERTAIN,
        examples=('POST /sdapi/v1/img2img -> 400\n{"detail":"Sampler not found"}', "{'error': 'HTTPException', 'detail': 'Sampler not found'}"),
        near_misses=('POST /sdapi/v1/txt2img -> 404\n{"detail":"Not Found"}', "Sampler: Euler, steps: 20"),
    ),
    Signature(
        id="api-script-call",
        severity=ERROR,
        group="call",
        page="""A script or extension is called by a wrong name, in the wrong slot or with wrong arguments.

        What happens: 422 "Script 'x' not found"; "Cannot have a selectable script in the always on scripts params";
        'dict' object has no attribute, in the log of a ControlNet call.
        Why: drop-down scripts go into script_name, always-on ones into alwayson_scripts, each with all its arguments
        in order; the extension may not be installed in this fork.
        Fix: look the name and arguments up in /sdapi/v1/scripts and /sdapi/v1/script-info.
        Source: modules/api/api.py get_selectable_script, init_script_args.
        """,
        summary=t("A script or extension is called by a name or with arguments that this server does not have."),
        lines=(
            r"Script '[^']+' not found", r"always on script .+ not found", r"Cannot have a selectable script in the always on",
            r"AttributeError: 'dict' object has no attribute '(?:enabled|module|model|weight|image)'",
        ),
        answers=(Answer(path=_API, statuses=(422,), body=r"(?i)script '?[^']+'? not found|selectable script|always ?on"),),
        fixes=(t("Look the script up in GET /sdapi/v1/scripts and /sdapi/v1/script-info; drop-down scripts go into script_name, the others into alwayson_scripts"),),
        explains=("api-payload-invalid",),
        confidence=CERTAIN,
        examples=('POST /sdapi/v1/txt2img -> 422\n{"detail":"Script \'adetailer\' not found"}',),
        near_misses=('POST /sdapi/v1/txt2img -> 422\n{"detail":[{"loc":["body","steps"],"msg":"value is not a valid integer"}]}',),
    ),
    Signature(
        id="api-payload-invalid",
        severity=ERROR,
        group="call",
        page="""The request's body does not follow the schema, or carries values without effect.

        What happens: 422 with a list of loc and msg; or 200 and a poor picture, because placeholder values from /docs
        ("string") were sent. Unknown fields are ignored in silence.
        Why: each field has a type; /docs shows the schema with examples that are no sensible values.
        Fix: build the body from /docs, and leave out what is not needed.
        Source: pydantic validation; modules/api/models.py.
        """,
        summary=t("The request does not follow the API's schema."),
        lines=(r"422 Client Error: Unprocessable Entity", r"422 Unprocessable Entity.*?/sdapi/"),
        answers=(
            Answer(path=_API, statuses=(422,)),
            Answer(path=_API, body=r'"(?:scheduler|sampler_name|sampler_index|script_name|refiner_checkpoint)"\s*:\s*"string"'),
        ),
        fixes=(t("Compare the body with the schema at /docs: types, names; leave out what is not needed, and every \"string\" that /docs filled in"),),
        examples=('POST /sdapi/v1/txt2img -> 422\n{"detail":[{"type":"int_parsing","loc":["body","steps"]}]}',),
        near_misses=('POST /sdapi/v1/txt2img -> 200',),
    ),
    Signature(
        id="api-bad-base64",
        severity=ERROR,
        group="call",
        page="""An image field does not hold a base64 image that can be decoded.

        What happens: 500 "Invalid encoded image"; UnidentifiedImageError or binascii.Error in the log.
        Why: a path, an empty text, a repr of bytes (b'...') or a data: prefix was sent where plain base64 belongs; or
        the client decodes something that is no image.
        Fix: base64 of the file's bytes, as text.
        Source: modules/api/api.py decode_base64_to_image.
        """,
        summary=t("The image in the request or answer is no decodable base64."),
        lines=(r"Invalid encoded image", r"binascii\.Error: ", r"PIL\.UnidentifiedImageError: cannot identify image file <_io\.BytesIO", r"base64\.b64decode\("),
        answers=(Answer(path=_API, statuses=(500,), body=r"Invalid encoded image"),),
        fixes=(t("Send base64.b64encode(FILE_BYTES).decode(), without a path, without b'…'; decode images[0] of the answer the same way"),),
        confidence=LIKELY,
        examples=('POST /sdapi/v1/img2img -> 500\n{"error":"HTTPException","detail":"Invalid encoded image"}',),
        near_misses=("POST /sdapi/v1/img2img -> 500\nInternal Server Error",),
    ),
    Signature(
        id="api-hr-modules-missing",
        severity=ERROR,
        group="call",
        page="""enable_hr is sent without hr_additional_modules, which Forge needs.

        What happens: 500 "TypeError: argument of type 'NoneType' is not iterable".
        Why: Forge asks whether "Use same choices" is in that field, which requests made for AUTOMATIC1111 do not have.
        Fix: "hr_additional_modules": ["Use same choices"], or a newer Forge.
        Source: modules/processing.py of Forge.
        """,
        summary=t("Forge needs hr_additional_modules with enable_hr, and the request has none."),
        lines=(r"hr_additional_modules",),
        also=(r"argument of type 'NoneType' is not iterable",),
        answers=(Answer(path=r"^/sdapi/v1/(?:txt2img|img2img)", statuses=(500,), body=r"argument of type 'NoneType' is not iterable"),),
        fixes=(t("Add \"hr_additional_modules\": [\"Use same choices\"] to the request"),),
        examples=("if 'Use same choices' not in self.hr_additional_modules:\nTypeError: argument of type 'NoneType' is not iterable",),
        near_misses=("TypeError: argument of type 'bool' is not iterable",),
    ),
    Signature(
        id="api-forge-fields-missing",
        severity=ERROR,
        group="call",
        page="""A request made for AUTOMATIC1111 lacks what Forge's page sets by itself.

        What happens: "You do not have CLIP state dict!", black or noisy pictures, additional_modules: [] in the log.
        Why: text encoders, VAE, scheduler and distilled CFG belong to the page's preset; over the API each must be sent.
        Fix: override_settings.forge_additional_modules with the files, scheduler, distilled_cfg_scale, cfg_scale 1.
        Source: modules_forge/main_entry.py, backend/loader.py.
        """,
        summary=t("The request lacks what Forge's page would set: text encoders and VAE of this model."),
        lines=(r"You do not have (?:CLIP|VAE|T5) state dict", r"'additional_modules': \[\], "),
        also=(r"state dict|ASGI|sdapi|Traceback",),
        fixes=(t("Send override_settings.forge_additional_modules with the paths of the text encoders and the VAE, or set them once with POST /sdapi/v1/options"),),
        examples=("AssertionError: You do not have CLIP state dict!",),
        near_misses=("Model selected: {'checkpoint_info': {}, 'additional_modules': ['ae.safetensors']}",),
    ),
    Signature(
        id="gradio-path-not-allowed",
        severity=ERROR,
        group="call",
        page="""The server refuses to hand out a file outside its own folders.

        What happens: 403 "File not allowed", "File cannot be fetched", InvalidPathError.
        Why: gradio serves files under the data folder and named ones only; a symbolic link counts by its target.
        Fix: --gradio-allowed-path with the real folder, or keep outputs inside.
        Source: gradio routes /file=; modules/shared_gradio_themes, cmd_args gradio_allowed_path.
        """,
        summary=t("The server may not hand out that file: it lies outside the allowed folders."),
        lines=(r"InvalidPathError", r"[Ff]ile cannot be fetched", r"File not allowed: ", r"Cannot move .+ to the gradio cache dir"),
        answers=(Answer(path=r"/file=", statuses=(403,)), Answer(path=r"/file=", statuses=(500,), body=r"cannot be fetched|not allowed")),
        fixes=(t("Start with --gradio-allowed-path FOLDER, where FOLDER is the real one behind any link"),),
        explains=("api-flag-missing",),
        examples=("GET /file=/mnt/out/1.png -> 403",),
        near_misses=("GET /file=/mnt/out/1.png -> 404",),
    ),
    Signature(
        id="gradio-auth-broken",
        severity=ERROR,
        group="call",
        page="""The page's login is broken in this gradio version.

        What happens: many 401 "Not authenticated" for /file=... while the login page itself is loading.
        Why: a version of gradio asks for a login for the files that the login page needs.
        Fix: another version of the web UI; until then a login in a proxy.
        Source: gradio issues of 2023.
        """,
        summary=t("The login page needs files that this gradio version hides behind the login."),
        answers=(Answer(path=r"^/file=", statuses=(401,)), Answer(path=r"^/file=", body=r"Not authenticated")),
        fixes=(t("Update the web UI, or use a login in a proxy in place of --gradio-auth"),),
        confidence=POSSIBLE,
        examples=("API error: GET: http://127.0.0.1:7860/file=style.css {'error': 'HTTPException', 'detail': 'Not authenticated'}",),
        near_misses=("GET /sdapi/v1/samplers -> 401",),
    ),
    Signature(
        id="proxy-limits",
        severity=ERROR,
        group="call",
        page="""A proxy or tunnel in front cuts the request: too large, or too long.

        What happens: 413 Request Entity Too Large; 504 or 524 after 60 or 100 seconds, while Forge goes on generating.
        Why: Forge itself has neither limit. nginx takes 1 MB and waits 60 s unless told otherwise; Cloudflare waits
        100 s, gradio.live less.
        Fix: client_max_body_size and proxy_read_timeout; through fixed tunnels send shorter jobs and poll progress.
        Source: nginx ngx_http_core_module, ngx_http_proxy_module; RFC 9110 15.5.14, 15.6.5.
        """,
        summary=t("A proxy in front of Forge cut the request: it was too large or took too long."),
        lines=(r"\b413 Request Entity Too Large", r"<Response \[524\]>"),
        answers=(Answer(path=r"^/sdapi/|^/run/|^/queue/", statuses=(413, 504, 524)),),
        unless=(r"gradio\.live",),
        fixes=(t("In nginx: client_max_body_size 100m; proxy_read_timeout 600s; through a fixed tunnel: smaller jobs, and poll /sdapi/v1/progress"),),
        examples=("POST /sdapi/v1/img2img -> 413", "POST /sdapi/v1/txt2img -> 504"),
        near_misses=("POST /sdapi/v1/img2img -> 500", "took 413 ms", "GET / -> 504"),
    ),
    Signature(
        id="proxy-websocket",
        severity=ERROR,
        group="call",
        page="""The proxy in front does not pass the queue's event stream or websocket.

        What happens: the page loads and nothing generates; /queue/join answers 404 or 400; "Connection errored out".
        Why: gradio 3 needs the Upgrade headers, gradio 4 an unbuffered event stream.
        Fix: proxy_http_version 1.1, Upgrade and Connection headers, buffering off, the whole prefix forwarded.
        Source: nginx websocket proxying; gradio queue routes.
        """,
        summary=t("The proxy does not pass the page's queue (websocket or event stream)."),
        lines=(r"WebSocket connection to '\S+/queue/join\S*' failed",),
        answers=(Answer(path=r"/queue/(?:join|data)", statuses=(400, 404, 502)),),
        fixes=(t("In nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; proxy_buffering off"),),
        examples=("GET /queue/join -> 404",),
        near_misses=("GET /queue/status -> 200",),
    ),
    Signature(
        id="outbound-tls-untrusted",
        severity=ERROR,
        group="call",
        page="""The server cannot verify certificates when it downloads something.

        What happens: 500 with "unable to get local issuer certificate" inside, or the same at the start.
        Why: Forge itself fetches a model or package, and its Python's certificate bundle is old, or a company proxy or
        antivirus puts its own certificate in between.
        Fix: repair the bundle (certifi, SSL_CERT_FILE), add the root in between, or fetch the file by hand.
        Source: Python ssl; urllib.
        """,
        summary=t("Forge cannot download what it needs: the certificate of the other side is not trusted."),
        lines=(r"<urlopen error \[SSL: CERTIFICATE_VERIFY_FAILED\].*unable to get local issuer certificate",),
        answers=(Answer(path=_API, statuses=(500,), body=r"CERTIFICATE_VERIFY_FAILED"),),
        fixes=(t("Update certifi in Forge's venv, or point SSL_CERT_FILE at the bundle with your company's root certificate"),),
        explains=("tls-cert-unusable",),
        examples=("urllib.error.URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:997)>",),
        near_misses=("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",),
    ),
    Signature(
        id="client-server-version-mismatch",
        severity=ERROR,
        group="call",
        page="""The client and the server do not speak the same dialect.

        What happens: 404 for a route of another version (/controlnet/txt2img), "Setting options via API is not
        supported".
        Why: routes moved between versions, or the plugin was written for another branch.
        Fix: update both, or pin the older one.
        Source: routes of each fork's /openapi.json.
        """,
        summary=t("The client asks for something that this server's version does not have."),
        lines=(r"Setting options via API is not supported",),
        answers=(Answer(path=r"^/controlnet/(?:txt2img|img2img|version|settings)", statuses=(404, 405)),),
        fixes=(t("Update the client and the web UI together; /docs shows the routes that this server has"),),
        examples=('POST /controlnet/img2img -> 404\n{"detail":"Not Found"}',),
        near_misses=("GET /controlnet/model_list -> 200",),
    ),
)  # fmt: skip


def checks() -> list[Check]:
    """The entries as checks."""
    return [as_check(one, __name__) for one in SIGNATURES]
