"""Causes that lie in the request: its names, its fields, its images."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, t
from forgedoctor.signature import Answer, Signature

API = r"^/sdapi/v1/"
_NONE = r"argument of type 'NoneType' is not iterable"

SAMPLER = Signature(
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
    lines=(r"(?i)\b(?:sampler|scheduler) not found\b",),
    answers=(Answer(path=API, statuses=(400, 404), body=r"(?i)sampler not found|scheduler not found"),),
    fixes=(
        t(
            "Send sampler_name without the schedule, and scheduler beside it; "
            "GET /sdapi/v1/samplers and /sdapi/v1/schedulers list the names"
        ),
    ),
    explains=("api-flag-missing", "client-wrong-url"),
    confidence=CERTAIN,
    examples=(
        'POST /sdapi/v1/img2img -> 400\n{"detail":"Sampler not found"}',
        "{'error': 'HTTPException', 'detail': 'Sampler not found'}",
    ),
    near_misses=('POST /sdapi/v1/txt2img -> 404\n{"detail":"Not Found"}', "Sampler: Euler, steps: 20"),
)

SCRIPT = Signature(
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
        r"Script '[^']+' not found",
        r"always on script .+ not found",
        r"Cannot have a selectable script in the always on",
        r"AttributeError: 'dict' object has no attribute '(?:enabled|module|model|weight|image)'",
    ),
    answers=(Answer(path=API, statuses=(422,), body=r"(?i)script '?[^']+'? not found|selectable script|always ?on"),),
    fixes=(
        t(
            "Look the script up in GET /sdapi/v1/scripts and /sdapi/v1/script-info; "
            "drop-down scripts go into script_name, the others into alwayson_scripts"
        ),
    ),
    explains=("api-payload-invalid",),
    confidence=CERTAIN,
    examples=('POST /sdapi/v1/txt2img -> 422\n{"detail":"Script \'adetailer\' not found"}',),
    near_misses=(
        'POST /sdapi/v1/txt2img -> 422\n{"detail":[{"loc":["body","steps"],"msg":"value is not a valid integer"}]}',
    ),
)

PAYLOAD = Signature(
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
        Answer(path=API, statuses=(422,)),
        Answer(
            path=API,
            body=r'"(?:scheduler|sampler_name|sampler_index|script_name|refiner_checkpoint)"\s*:\s*"string"',
        ),
    ),
    fixes=(
        t(
            "Compare the body with the schema at /docs: types, names; "
            'leave out what is not needed, and every "string" that /docs filled in'
        ),
    ),
    examples=('POST /sdapi/v1/txt2img -> 422\n{"detail":[{"type":"int_parsing","loc":["body","steps"]}]}',),
    near_misses=("POST /sdapi/v1/txt2img -> 200",),
)

BASE64 = Signature(
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
    lines=(
        r"Invalid encoded image",
        r"binascii\.Error: ",
        r"PIL\.UnidentifiedImageError: cannot identify image file <_io\.BytesIO",
        r"base64\.b64decode\(",
    ),
    answers=(Answer(path=API, statuses=(500,), body=r"Invalid encoded image"),),
    fixes=(
        t(
            "Send base64.b64encode(FILE_BYTES).decode(), without a path, without b'…'; "
            "decode images[0] of the answer the same way"
        ),
    ),
    confidence=LIKELY,
    examples=('POST /sdapi/v1/img2img -> 500\n{"error":"HTTPException","detail":"Invalid encoded image"}',),
    near_misses=("POST /sdapi/v1/img2img -> 500\nInternal Server Error",),
)

_HR_SUMMARY = t("Forge needs hr_additional_modules with enable_hr, and the request has none.")
_HR_FIX = t('Add "hr_additional_modules": ["Use same choices"] to the request')

HR_MODULES = Signature(
    id="api-hr-modules-missing",
    severity=ERROR,
    group="call",
    page="""enable_hr is sent without hr_additional_modules, which Forge needs.

    What happens: 500 "TypeError: argument of type 'NoneType' is not iterable".
    Why: Forge asks whether "Use same choices" is in that field, which requests made for AUTOMATIC1111 do not have.
    Fix: "hr_additional_modules": ["Use same choices"], or a newer Forge.
    Source: modules/processing.py of Forge.
    """,
    summary=_HR_SUMMARY,
    lines=(r"hr_additional_modules",),
    also=(_NONE,),
    answers=(Answer(path=r"^/sdapi/v1/(?:txt2img|img2img)", statuses=(500,), body=_NONE),),
    fixes=(_HR_FIX,),
    examples=(
        "if 'Use same choices' not in self.hr_additional_modules:\n"
        "TypeError: argument of type 'NoneType' is not iterable",
        'POST /sdapi/v1/txt2img -> 500\n{"message":"argument of type \'NoneType\' is not iterable"}',
    ),
    near_misses=("TypeError: argument of type 'bool' is not iterable",),
)

# The same, where the call and its error stand apart in the text.
HR_MODULES_LOG = Signature(
    id="api-hr-modules-missing",
    severity=ERROR,
    group="call",
    summary=_HR_SUMMARY,
    lines=(r"^TypeError: " + _NONE,),
    also=(r"/sdapi/v1/(?:txt2img|img2img)\b.*\b500\b",),
    unless=(r"Launching \w+ \w+ with arguments", r"hr_additional_modules"),
    fixes=(_HR_FIX,),
    examples=("POST /sdapi/v1/txt2img -> 500\n\nTypeError: argument of type 'NoneType' is not iterable",),
    near_misses=("TypeError: argument of type 'NoneType' is not iterable",),
)

FORGE_FIELDS = Signature(
    id="api-forge-fields-missing",
    severity=ERROR,
    group="call",
    page="""A request made for AUTOMATIC1111 lacks what Forge's page sets by itself.

    What happens: "You do not have CLIP state dict!", black or noisy pictures.
    Why: text encoders, VAE, scheduler and distilled CFG belong to the page's preset; over the API each must be sent.
    Models that carry their own text encoders, such as SD 1.5 and SDXL, need none of this.
    Fix: override_settings.forge_additional_modules with the files, scheduler, distilled_cfg_scale, cfg_scale 1.
    Source: modules_forge/main_entry.py, backend/loader.py.
    """,
    summary=t("This model needs text encoders and a VAE of its own, and none are named."),
    lines=(r"You do not have (?:CLIP|VAE|T5)\w* state dict",),
    fixes=(
        t(
            "Send override_settings.forge_additional_modules with the paths of the text encoders and the VAE, "
            "or set them once with POST /sdapi/v1/options; on the page: VAE / Text Encoder"
        ),
    ),
    examples=("AssertionError: You do not have CLIP state dict!",),
    near_misses=(
        "Model selected: {'checkpoint_info': {'filename': 'a.safetensors'}, 'additional_modules': [], 'unet_storage_dtype': None}",
        "Loading Model: {'checkpoint_info': {}, 'additional_modules': ['ae.safetensors']}",
    ),
)

DIALECT = Signature(
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
)

SIGNATURES = (SAMPLER, SCRIPT, PAYLOAD, BASE64, HR_MODULES, HR_MODULES_LOG, FORGE_FIELDS, DIALECT)
