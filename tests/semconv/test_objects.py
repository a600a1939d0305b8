"""Objects of the providers' APIs inside one value: what each of them counts, asks and answers, by the API's own definition."""

import json

import pytest

from semconv.translate import Translator
from semconv.view import SpanView

TABLE = b"""
id: mine
version: "1"
detect: {keys: {mine.*: 1}}
namespaces: [mine.]
rows:
  - {key: mine.usage, object: usage}
  - {key: mine.request, object: request}
  - {key: mine.response, object: response}
"""
USAGE = {
    "OpenAI chat: cached tokens are part of the prompt": (
        {
            "prompt_tokens": 34,
            "completion_tokens": 10,
            "total_tokens": 44,
            "prompt_tokens_details": {"cached_tokens": 17, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 0},
        },
        {"input": 34, "output": 10, "cache_read.input": 17, "reasoning.output": 4, "audio.input": 0, "audio.output": 0},
    ),
    "OpenAI Responses: the same under other names": (
        {
            "input_tokens": 8,
            "output_tokens": 10,
            "total_tokens": 18,
            "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
            "output_tokens_details": {"reasoning_tokens": 7},
        },
        {"input": 8, "output": 10, "cache_read.input": 4, "cache_write.input": 1, "reasoning.output": 7},
    ),
    "Anthropic: the input leaves out what a cache gave and took": (
        {"input_tokens": 15, "output_tokens": 9, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 100},
        {"input": 315, "output": 9, "cache_read.input": 200, "cache_write.input": 100},
    ),
    "Anthropic without a cache: null is not a count": (
        {"input_tokens": 15, "output_tokens": 9, "cache_read_input_tokens": None, "cache_creation_input_tokens": None},
        {"input": 15, "output": 9},
    ),
    "Gemini: candidates leave out thoughts, the prompt leaves out results of tools": (
        {
            "promptTokenCount": 20,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "toolUsePromptTokenCount": 3,
            "cachedContentTokenCount": 10,
            "totalTokenCount": 35,
        },
        {"input": 23, "output": 12, "cache_read.input": 10, "reasoning.output": 7},
    ),
    "Gemini as its Python SDK writes it": (
        {"prompt_token_count": 20, "candidates_token_count": 5, "thoughts_token_count": 7, "total_token_count": 32},
        {"input": 20, "output": 12, "reasoning.output": 7},
    ),
    "Bedrock Converse: the input leaves out the cache": (
        {"inputTokens": 10, "outputTokens": 4, "totalTokens": 114, "cacheReadInputTokens": 60, "cacheWriteInputTokens": 40},
        {"input": 110, "output": 4, "cache_read.input": 60, "cache_write.input": 40},
    ),
    "LangChain: details are parts": (
        {
            "input_tokens": 41,
            "output_tokens": 17,
            "total_tokens": 58,
            "input_token_details": {"cache_read": 20, "cache_creation": 2, "audio": 0},
            "output_token_details": {"reasoning": 5, "audio": 0},
        },
        {
            "input": 41, "output": 17, "cache_read.input": 20, "cache_write.input": 2, "reasoning.output": 5, "audio.input": 0,
            "audio.output": 0,
        },
    ),
    "AI SDK: details are parts": (
        {"inputTokens": 41, "outputTokens": 17, "totalTokens": 58, "cachedInputTokens": 20, "reasoningTokens": 5},
        {"input": 41, "output": 17, "cache_read.input": 20, "reasoning.output": 5},
    ),
}  # fmt: skip
SETTINGS = {
    "Gemini": {
        "generationConfig": {"temperature": 0.5, "topP": 0.9, "topK": 4, "maxOutputTokens": 10, "stopSequences": ["x"]}
    },
    "Bedrock": {
        "inferenceConfig": {"temperature": 0.5, "topP": 0.9, "maxTokens": 10, "stopSequences": ["x"]},
        "topK": 4,
    },
    "Anthropic": {"temperature": 0.5, "top_p": 0.9, "top_k": 4, "max_tokens": 10, "stop_sequences": ["x"]},
    "OpenAI": {"temperature": 0.5, "top_p": 0.9, "max_completion_tokens": 10, "stop": ["x"], "top_k": 4},
}


@pytest.fixture(scope="module")
def translator():
    return Translator.load(user_profiles={"mine.yaml": TABLE})


def translated(translator, **values):
    attributes = {f"mine.{name}": json.dumps(value) for name, value in values.items()}
    return translator.span(SpanView(name="s", attributes=attributes))


@pytest.mark.parametrize(("usage", "expected"), USAGE.values(), ids=USAGE)
def test_usage_says_what_its_api_counts(translator, usage, expected):
    found = translated(translator, usage=usage)
    assert found.attributes == {f"gen_ai.usage.{name}_tokens": count for name, count in expected.items()}
    assert not found.loss
    assert found.removed == ("mine.usage",)


def test_a_total_that_is_no_sum_is_lost_and_not_believed(translator):
    found = translated(translator, usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9})
    assert [(loss.path, loss.reason) for loss in found.loss] == [("mine.usage#/total_tokens", "no_concept")]


@pytest.mark.parametrize("request_", SETTINGS.values(), ids=SETTINGS)
def test_a_request_asks_the_same_in_every_spelling(translator, request_):
    found = translated(translator, request={"model": "m", **request_})
    assert found.attributes == {
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 4,
        "gen_ai.request.max_tokens": 10,
        "gen_ai.request.stop_sequences": ["x"],
    }
    assert not found.loss


def test_an_answer_of_every_kind_is_taken_apart_to_its_usage(translator):
    answer = {
        "id": "msg_1",
        "model": "claude",
        "role": "assistant",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 3,
            "cache_read_input_tokens": 4,
            "output_tokens": 5,
            "server_tool_use": {"web_search_requests": 1},
        },
    }
    found = translated(translator, response=answer)
    assert json.loads(found.attributes.pop("gen_ai.output.messages"))[0]["parts"] == [{"type": "text", "content": "Hi"}]
    assert found.attributes == {
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude",
        "gen_ai.response.finish_reasons": ["end_turn"],
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.output_tokens": 5,
    }
    assert {loss.path: loss.reason for loss in found.loss} == {
        "mine.response#/role": "partial_no_concept",
        "mine.response#/usage/server_tool_use": "partial_no_concept",
    }


def test_what_an_attribute_says_outranks_what_is_said_inside(translator):
    view = SpanView(
        name="s",
        attributes={"mine.usage": '{"prompt_tokens": 7, "completion_tokens": 1}', "gen_ai.usage.input_tokens": 8},
    )
    found = translator.span(view)
    assert found.attributes == {"gen_ai.usage.output_tokens": 1}
    assert [(loss.path, loss.reason) for loss in found.loss] == [("mine.usage#/prompt_tokens", "superseded")]
